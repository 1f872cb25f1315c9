// A client that nobody here wrote: the CloudEvents SDK sends in all three modes.
import { CloudEvent, HTTP, type Message } from 'cloudevents';
import { expect, keyOf, origin, test } from '../journey';

const key = () => keyOf('Clients', 'events:write', 'ledger:read');

function event(id: string, data: object = { quantities: { input_tokens: 1_000_000, completion_tokens: 100_000 } }) {
  return new CloudEvent({ id, source: '/sdk', type: 'ai_text', subject: 'user/ada', time: new Date(Date.now() - 60_000).toISOString(), data });
}

async function send(message: Message<unknown>, bearer: string) {
  const headers = { ...(message.headers as Record<string, string>), authorization: `Bearer ${bearer}` };
  const answer = await fetch(`${origin}/api/v1/events`, { method: 'POST', headers, body: message.body as string });
  return { status: answer.status, body: await answer.json() };
}

test('the SDK sends structured, batch and binary, and each event is charged once', async () => {
  const bearer = key();
  const one = event('sdk-1');
  const structured = await send(HTTP.structured(one), bearer);
  expect(structured).toMatchObject({ status: 200, body: { accepted: 1, duplicate: 0, rejected: 0, credits: '0.700000' } });

  const again = await send(HTTP.binary(one), bearer);
  expect(again).toMatchObject({ status: 200, body: { accepted: 0, duplicate: 1, credits: '0.000000' } });

  const binary = await send(HTTP.binary(event('sdk-2')), bearer);
  expect(binary).toMatchObject({ status: 200, body: { accepted: 1, credits: '0.700000' } });

  const batch = await send(
    {
      headers: { 'content-type': 'application/cloudevents-batch+json' },
      body: JSON.stringify([event('sdk-2'), event('sdk-3'), event('sdk-4', { quantities: { unknown_meter: 1 } })]),
    } as Message<unknown>,
    bearer,
  );
  // sdk-2 was built again with another time: other content under the same id.
  expect(batch.status).toBe(200);
  expect(batch.body).toMatchObject({ accepted: 1, rejected: 2, credits: '0.700000', balance: '7.900000' });
  expect(batch.body.errors.map((e: { code: string }) => e.code).sort()).toEqual(['event_conflict', 'unknown_meter']);
});
