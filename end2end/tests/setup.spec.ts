// The first start with JavaScript: the wait ends by itself, the browser's zone is there.
import { EmptyServer, firstStart } from '../first-start';
import { test } from '../journey';

test('the printed link leads from nobody to the first event on a chart, and what is wrong on the way is refused', async ({ page }) => {
  const server = await EmptyServer.start();
  try {
    await firstStart(page, server, true);
  } finally {
    await server.end();
  }
});
