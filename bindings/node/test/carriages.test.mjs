// The client through a gateway, over every carriage: what differs is the URI.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { connect } from '../lib/index.mjs'
import { gateway } from './servers.mjs'

const lines = readFileSync(new URL('../../../tests/conformance/carriages.txt', import.meta.url), 'utf8').trim().split('\n')
const large = Buffer.alloc(1 << 20, Buffer.from(Array.from({ length: 256 }, (_, number) => number)))

test('every carriage', async (t) => {
  const { uri } = await gateway(t)
  for (const [name, scheme, properties] of lines.map((line) => line.split(' '))) {
    await t.test(name, { timeout: 30_000 }, async () => {
      const client = await connect(uri(scheme, properties))
      try {
        await use(client, name)
      } finally {
        await client.close()
      }
    })
  }
})

async function use(client, name) {
  const cache = client.cache()
  await cache.ping()
  const listener = await cache.listen()
  for (const value of [Buffer.alloc(0), Buffer.from('v'), large]) {
    await cache.put('k', value)
    assert.ok((await cache.get('k')).equals(value))
  }
  assert.equal(await cache.remove('k'), true)
  assert.equal(await cache.get('k'), null)
  const received = []
  while (received.length < 4) received.push((await listener.next()).value.type)
  assert.deepEqual(received, ['created', 'modified', 'modified', 'removed'])
  await listener.close()
  const counter = client.counter(name)
  assert.equal(await counter.createStrong({ initialValue: 5 }), true)
  assert.equal(await counter.addAndGet(3), 8n)
  assert.equal(await counter.remove(), true)
}
