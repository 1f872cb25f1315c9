// The first start without JavaScript: the same steps, and a page that asks again by itself.
import { EmptyServer, firstStart } from '../first-start';
import { test } from '../journey';

test('the printed link leads from nobody to the first event on a chart, and what is wrong on the way is refused', async ({ page }) => {
  const server = await EmptyServer.start();
  try {
    await firstStart(page, server, false);
  } finally {
    await server.end();
  }
});
