// Wrong arguments are refused with a message that names them, and that never has their value: it may be a secret.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as libhotrod from '../lib/index.mjs'
import { embedded } from './servers.mjs'

const { Cache, Client, Counter, Machine, MisuseError, Multimap, codecs, connect } = libhotrod
const SECRET = 'correct horse'

/** Runs a call that must fail as misuse, and returns the message. */
async function refused(call, expected) {
  try {
    await call()
  } catch (error) {
    assert.ok(error instanceof MisuseError, `${call}: ${error.stack}`)
    assert.ok(!error.message.includes(SECRET), error.message)
    assert.ok(!/napi|rust type|JavaScript value/.test(error.message), error.message)
    if (expected) assert.match(error.message, expected, `${call}`)
    return
  }
  assert.fail(`not refused: ${call}`)
}

test('a URI of another type', async () => {
  for (const uri of [undefined, null, 3, ['hotrod://h'], { host: 'h', username: 'u', password: SECRET }]) {
    await refused(() => connect(uri), /^uri: expected a string or a URL/)
    await refused(() => new Machine(uri), /^uri: expected a string or a URL/)
  }
  await refused(() => connect('hotrod://127.0.0.1:1', { username: 'u', password: SECRET }), /properties of the URI/)
})

test('a URL object is a URI', async (t) => {
  const node = await embedded(t)
  const client = await connect(new URL(node.uri('local')))
  assert.equal(client.cache().name, 'local')
  await client.close()
  await refused(() => connect(new URL(`http://u:${encodeURIComponent(SECRET)}@localhost`)), /hotrod:\/\//)
})

test('objects that only a client makes', async () => {
  for (const Class of [Client, Cache, Counter, Multimap]) {
    for (const args of [[], [`hotrod://u:${SECRET}@h`], [{ host: 'h', password: SECRET }]]) {
      await refused(() => new Class(...args), /connect\(\)/)
    }
  }
})

test('arguments of the machine', async () => {
  const machine = new Machine('hotrod://127.0.0.1:1')
  const cache = machine.cache(0, 'c')
  const wrong = { password: SECRET }
  for (const value of [wrong, SECRET, [SECRET], null, true]) {
    const calls = [
      () => new Machine('hotrod://h', { seed: value === null ? 3 : value }), () => new Machine('hotrod://h', { now: value }),
      () => machine.cache(value, 'c'), () => machine.cache(0, 'c', { flags: value }),
      () => machine.cache(0, 'c', { parameters: [[value, Buffer.from('')], [wrong, wrong]] }),
      () => machine.start(value, cache), () => machine.start(0, value), () => machine.submit(value, cache, 'get', []),
      () => machine.submit(0, value, 'get', []), () => machine.submit(0, cache, value, []),
      () => machine.submit(0, cache, 'get', value === null ? wrong : [value, wrong]), () => machine.cancel(value),
      () => machine.listen(value, cache), () => machine.listen(0, value), () => machine.listen(0, cache, { interests: value }),
      () => machine.listen(0, cache, { filter: { name: 3, parameters: value } }), () => machine.listenToCounter(0, value, 'c'),
      () => machine.removeListener(value, 1), () => machine.removeListener(0, value), () => machine.eventsTaken(0, 1, value),
      () => machine.iterate(0, value), () => machine.iterate(0, cache, { batchSize: value }),
      () => machine.nextEntries(0, value), () => machine.endIteration(0, value),
      () => machine.nearCache(0, cache, { maxEntries: value }), () => machine.removeNearCache(0, value),
      () => machine.nearCacheSize(value), () => machine.setPeer(value, 'a'), () => machine.connected(0, value),
      () => machine.received(0, 1, value), () => machine.received(0, value, Buffer.from('b')),
      () => machine.linkLost(0, value, 'w'), () => machine.timeout(value), () => machine.transmit(value),
      () => machine.transmit(1, value), () => machine.wantsRead(value), () => machine.close(value), () => machine.view(value),
      () => machine.setTlsExporter(1, value), () => machine.setServerCertificate(1, value), () => machine.setDiscovered(value),
    ]
    for (const call of calls) await refused(call)
    if (typeof value === 'string') continue
    const texts = [
      () => machine.cache(0, value), () => machine.listenToCounter(0, cache, value), () => machine.switchSite(0, value),
      () => machine.setPeer(1, value), () => machine.linkLost(0, 1, value), () => machine.setDiscovered('h:1', value ?? 3),
      () => machine.setDiscovered('h:1', { host: value }),
    ]
    for (const call of texts) await refused(call)
  }
})

test('unknown options are refused everywhere', async (t) => {
  const client = await connect((await embedded(t)).uri('local'))
  t.after(() => client.close())
  const cache = client.cache()
  const [counter, multimap, machine] = [client.counter('c'), client.multimap('local'), client._driver.machine]
  const ttl = { ttl: 10 }
  const calls = [
    () => client.cache('local', ttl), () => client.cache('local', { keyCodec: codecs.text }), () => client.counter('c', ttl),
    () => client.cache('local', { codecs: 'json' }), () => client.cache('local', { codecs: { keys: codecs.text } }),
    () => client.cache('local', { codecs: { key: 'text' } }), () => client.cache('local', { codecs: { key: { encode() {} } } }),
    () => client.multimap('local', ttl), () => client.multimap('local', { codecs: 'json' }), () => client.counterNames(ttl),
    () => cache.withCodecs('json'), () => cache.withFlags('1'), () => cache.withTimeout('1'), () => cache.withTraceparent(1),
    () => cache.put('k', 'v', ttl), () => cache.put('k', 'v', 10), () => cache.put('k', 'v', null), () => cache.get('k', ttl),
    () => cache.get('k', { lifespan: 1000 }), () => cache.get('k', { signal: {} }), () => cache.putAll([['k', 'v']], ttl),
    () => cache.getAll(['k'], ttl), () => cache.bulkGet(0, ttl), () => cache.bulkGetKeys(0, ttl), () => cache.execute('size', [], ttl),
    () => cache.execute('put', [Buffer.from('k'), ttl, Buffer.from('v')]), () => cache.readStream('k', ttl).next(),
    () => cache.put('k', 'v', { lifespan: { count: 1, unit: 's', ttl: 1 } }), () => cache.writeStream('k', [], ttl),
    () => cache.iterate(ttl), () => cache.iterate({ filterConverter: { name: 'f', ttl: 1 } }), () => cache.listen(ttl),
    () => cache.listen({ filter: { name: 'f', ttl: 1 } }), () => cache.listen({ interests: 'created' }),
    () => cache.enableNearCache(ttl), () => counter.get(ttl), () => counter.createStrong(ttl), () => counter.createWeak(ttl),
    () => counter.createBounded(0, 1, ttl), () => counter.create({ kind: 'unbounded_strong', ttl: 1 }), () => multimap.put('k', 'v', ttl),
    () => cache.prepareTx({ formatId: 1, globalTransactionId: Buffer.from('g'), branchQualifier: Buffer.from('b'), ttl: 1 }, true, []),
    () => cache.prepareTx({ formatId: 1, globalTransactionId: Buffer.from('g'), branchQualifier: Buffer.from('b') }, true,
      [{ key: Buffer.from('k'), value: null, ttl: 1 }]),
    () => new Machine('hotrod://h', ttl), () => machine.cache(0, 'c', ttl), () => machine.submit(0, 0, 'size', [], ttl),
    () => machine.listen(0, 0, ttl), () => machine.iterate(0, 0, ttl), () => machine.nearCache(0, 0, ttl),
    () => machine.setDiscovered('h:1', { host: 'h', ttl: 1 }),
  ]
  for (const call of calls) await refused(call)
  await refused(() => cache.put('k', 'v', ttl), /there is no "ttl" here; there are timeout, signal, member, lifespan, maxIdle/)
  await refused(() => cache.listen({ interests: ['all'] }), /created, modified, removed, expired/)
  assert.equal(await cache.get('k'), null)
})
