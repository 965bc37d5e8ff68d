// The client against the embedded node.

import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import * as events from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'

import * as libhotrod from '../lib/index.mjs'
import { embedded } from './servers.mjs'

const { Flags, codecs, connect } = libhotrod
const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const run = promisify(execFile)

/** A client that is closed at the end of the test. */
async function client(t, node, cache, query) {
  const client = await connect(node.uri(cache, query))
  t.after(() => client.close())
  return client
}

test('single keys', async (t) => {
  const c = await client(t, await embedded(t, 3))
  const cache = c.cache()
  assert.equal(cache.name, 'dist')
  assert.equal(await cache.get('k'), null)
  assert.equal(await cache.put('k', 'one'), null)
  assert.equal((await cache.get('k')).toString(), 'one')
  assert.equal(await cache.containsKey('k'), true)
  assert.equal(await cache.putIfAbsent('k', 'two'), false)
  assert.deepEqual(await cache.putIfAbsentWithOutcome('k', 'two'), { executed: false, previous: null })
  assert.equal(await cache.replace('k', 'two', { lifespan: 60_000, maxIdle: Infinity }), true)
  const entry = await cache.getWithMetadata('k')
  assert.equal(entry.value.toString(), 'two')
  assert.equal(entry.lifespan.duration, 60_000)
  assert.equal(entry.maxIdle, null)
  assert.equal(await cache.replaceIfUnmodified('k', 1n, 'x'), false)
  assert.equal(await cache.replaceIfUnmodifiedWithOutcome('k', 1n, 'x'), 'modified')
  assert.equal(await cache.replaceIfUnmodified('k', entry.version, 'three'), true)
  assert.equal(await cache.removeIfUnmodified('none', 1n), false)
  assert.equal(await cache.removeIfUnmodifiedWithOutcome('none', 1n), 'missing')
  const { executed, previous } = await cache.withFlags(Flags.FORCE_RETURN_VALUE).removeWithOutcome('k')
  assert.ok(executed && previous.value.toString() === 'three')
  assert.equal(await cache.size(), 0)
  const counters = c.counters()
  assert.ok(counters.direct > 0 && counters.forwarded === 0 && counters.latencyP99 > 0)
})

test('many keys', async (t) => {
  const c = await client(t, await embedded(t, 3))
  const cache = c.cache().withCodecs({ key: codecs.text, value: codecs.text })
  const entries = new Map(Array.from({ length: 2500 }, (_, number) => [`key ${number}`, `value ${number}`]))
  await cache.putAll(entries, { lifespan: 600_000 })
  assert.deepEqual(new Map([...(await cache.getAll([...entries.keys(), 'none']))].sort()), new Map([...entries].sort()))
  const found = new Map()
  for await (const { key, value } of cache.iterate({ batchSize: 100 })) {
    assert.ok(!found.has(key))
    found.set(key, value)
  }
  assert.equal(found.size, 2500)
  for await (const { metadata } of cache.iterate({ includeMetadata: true })) {
    assert.equal(metadata.lifespan.duration, 600_000)
    break
  }
  assert.equal((await cache.bulkGetKeys()).length, 2500)
  assert.equal((await cache.bulkGet()).size, 2500)
  const view = c.view(cache)
  assert.deepEqual([view.members.length, view.owners.length, view.owners[0].length], [3, 256, 2])
  assert.ok(c.members().every(({ ready, protocolVersion }) => ready && protocolVersion === '4.1'))
  assert.deepEqual(c.coverage(), { covered: 3, members: 3, reason: null })
  await cache.clear()
})

test('why a member is not reached directly', async (t) => {
  const c = await client(t, await embedded(t, 3), 'dist', '?access=load-balancer&probe_cache=none')
  const end = Date.now() + 10_000
  while (!c.coverage().reason?.startsWith("members can't be told apart")) {
    assert.ok(Date.now() < end, JSON.stringify(c.coverage()))
    await c.cache().get('k')
  }
  assert.deepEqual([c.coverage().covered, c.coverage().members], [1, 3])
})

test('an iteration that is asked for several entries at a time, or ended while one is awaited', async (t) => {
  const c = await client(t, await embedded(t, 3))
  const cache = c.cache()
  await cache.putAll(Array.from({ length: 1000 }, (_, number) => [`${number}`, 'v']))
  const iteration = cache.iterate({ batchSize: 50 })
  const found = []
  for (let over = false; !over; ) {
    const results = await Promise.all([iteration.next(), iteration.next(), iteration.next()])
    found.push(...results.filter(({ done }) => !done).map(({ value }) => value.key.toString()))
    over = results.some(({ done }) => done)
  }
  assert.deepEqual([found.length, new Set(found).size], [1000, 1000])
  const ended = cache.iterate()
  const awaited = ended.next()
  await ended.return()
  assert.equal((await awaited).done, true)
  const cutShort = cache.iterate({ batchSize: 10 })
  await cutShort.next()
  await c.close()
  await assert.rejects(async () => {
    for await (const _ of cutShort);
  }, libhotrod.ClosedError)
  assert.equal((await c.events().next()).done, true)
})

test('many at a time, and large values', async (t) => {
  const cache = (await client(t, await embedded(t, 3))).cache()
  await Promise.all(
    Array.from({ length: 500 }, async (_, number) => {
      for (let turn = 0; turn < 10; turn += 1) {
        await cache.put(`${number}`, `${turn}`)
        assert.equal((await cache.get(`${number}`)).toString(), `${turn}`)
      }
    }),
  )
  const large = Buffer.alloc(10 << 20, 'libhotrod')
  await cache.put('large', large)
  assert.ok((await cache.get('large')).equals(large))
  await cache.put('array', new Uint8Array([1, 2, 3]))
  assert.deepEqual(await cache.get('array'), Buffer.from([1, 2, 3]))
})

test('streams', async (t) => {
  const cache = (await client(t, await embedded(t), 'local')).cache()
  const pieces = [Buffer.alloc(70_000, 'a'), Buffer.alloc(0), Buffer.from('b'), Buffer.alloc(100_000, 'c')]
  assert.equal(await cache.writeStream('s', pieces), true)
  const chunks = []
  for await (const chunk of cache.readStream('s', { chunkLength: 30_000 })) chunks.push(chunk)
  assert.ok(Buffer.concat(chunks).equals(Buffer.concat(pieces)))
  for await (const _ of cache.readStream('none')) assert.fail('there is no such entry')
  for await (const _ of cache.readStream('s', { chunkLength: 100 })) break
})

test('listeners', async (t) => {
  const cache = (await client(t, await embedded(t, 3))).cache()
  await cache.put('before', 'v')
  const listener = await cache.listen({ includeCurrentState: true })
  const take = async () => (await listener.next()).value
  const first = await take()
  assert.deepEqual([first.type, first.key.toString(), typeof first.version], ['created', 'before', 'bigint'])
  await cache.put('k', 'v')
  await cache.remove('k')
  assert.deepEqual([(await take()).type, (await take()).type], ['created', 'removed'])
  await listener.close()
  for await (const event of listener) assert.fail(event.type)
  const only = await cache.listen({ interests: ['removed'] })
  const count = 3000
  await cache.putAll(Array.from({ length: count }, (_, number) => [`${number}`, '']))
  for (let number = 0; number < count; number += 1) await cache.remove(`${number}`)
  const received = new Set()
  for await (const { key } of only) {
    received.add(key.toString())
    if (received.size === count) break
  }
  assert.throws(() => cache._driver.machine.listen(0, 99), libhotrod.MisuseError)
  await assert.rejects(cache.listen({ interests: ['all'] }), libhotrod.MisuseError)
})

test('the state of a large cache waits for the application', async (t) => {
  const cache = (await client(t, await embedded(t, 3))).cache()
  const count = 5000
  await cache.putAll(Array.from({ length: count }, (_, number) => [`${number}`, '']))
  const slow = await cache.listen({ includeCurrentState: true })
  const quick = await cache.listen({ includeCurrentState: true })
  for (const listener of [quick, slow]) {
    for (let number = 0; number < count; number += 1) assert.equal((await listener.next()).value.type, 'created')
    await listener.close()
  }
})

test('counters', async (t) => {
  const c = await client(t, await embedded(t))
  const counter = c.counter('visits')
  await assert.rejects(counter.get(), libhotrod.NoSuchCounterError)
  assert.equal(await counter.getConfiguration(), null)
  assert.equal(await counter.createBounded(0, 10n, { initialValue: 5 }), true)
  assert.equal(await counter.createStrong(), false)
  const listener = await counter.listen()
  assert.equal(await counter.addAndGet(5), 10n)
  await assert.rejects(counter.addAndGet(1), (error) => {
    assert.ok(error instanceof libhotrod.OutOfBoundsError && !error.mayHaveBeenApplied)
    return true
  })
  assert.deepEqual((await listener.next()).value, {
    type: 'counter', counter: 'visits', oldValue: 5n, oldState: 'valid', newValue: 10n, newState: 'valid',
  })
  assert.equal(await counter.compareAndSwap(10, 1), 10n)
  assert.equal(await counter.getAndSet(7n), 1n)
  await counter.reset()
  assert.deepEqual(await c.counterNames(), ['visits'])
  assert.equal(await counter.remove(), true)
})

test('multimaps', async (t) => {
  const tags = (await client(t, await embedded(t))).multimap('local', { codecs: { key: codecs.text, value: codecs.text } })
  await tags.put('post', 'red')
  await tags.put('post', 'blue')
  assert.deepEqual((await tags.get('post')).sort(), ['blue', 'red'])
  assert.equal(await tags.size(), 2)
  assert.equal((await tags.getWithMetadata('post')).values.length, 2)
  assert.ok((await tags.removeEntry('post', 'red')) && (await tags.removeKey('post')))
  assert.deepEqual(await tags.get('post'), [])
})

test('a near cache', async (t) => {
  const c = await client(t, await embedded(t), 'local')
  const cache = c.cache()
  await cache.put('k', 'v')
  const events = c.events()
  cache.enableNearCache({ maxEntries: 10 })
  for await (const { type, cache: of } of events) {
    if (type === 'NearCacheActive') {
      assert.equal(of, 'local')
      break
    }
  }
  for (let turn = 0; turn < 3; turn += 1) assert.equal((await cache.get('k')).toString(), 'v')
  assert.equal(c.counters().nearHits, 2)
  cache.disableNearCache()
})

test('codecs', async (t) => {
  const cache = (await client(t, await embedded(t))).cache('items', { codecs: { key: codecs.text, value: codecs.json() } })
  await cache.put('käse', { age: 3, names: ['a'] })
  assert.deepEqual(await cache.get('käse'), { age: 3, names: ['a'] })
  for await (const { key } of cache.iterate()) assert.equal(key, 'käse')
  await assert.rejects(cache.put('k', undefined), /argument value: its codec can't encode this undefined/)
  await assert.rejects(cache.put('k', undefined), (error) => error.cause instanceof TypeError)
  await assert.rejects(cache.put(3, 'v'), /argument key/)
})

test('what a codec can not decode', async (t) => {
  const c = await client(t, await embedded(t), 'json')
  const secret = 'correct horse {'
  // A cache of JSON stores unread what is declared as JSON.
  const unchecked = { ...codecs.bytes, mediaType: 'application/json' }
  const bytes = c.cache().withCodecs({ key: unchecked, value: unchecked })
  const json = bytes.withCodecs({ key: unchecked, value: codecs.json() })
  const keys = bytes.withCodecs({ key: codecs.json(), value: unchecked })
  await bytes.put('käse', secret)
  const first = async (iterable) => {
    for await (const item of iterable) return item
  }
  const tags = c.multimap('dist', { codecs: { key: codecs.text, value: codecs.json() } })
  await c.multimap('dist').put('tags', secret)
  const listener = await keys.listen({ includeCurrentState: true })
  for (const [call, part] of [
    [() => json.get('käse'), 'value'], [() => json.getWithMetadata('käse'), 'value'], [() => json.getAll(['käse']), 'value'],
    [() => json.withFlags(Flags.FORCE_RETURN_VALUE).putIfAbsentWithOutcome('käse', 1), 'value'], [() => json.bulkGet(), 'value'],
    [() => first(json.iterate()), 'value'], [() => first(keys.iterate()), 'key'], [() => keys.bulkGetKeys(), 'key'],
    [() => listener.next(), 'key'],
  ]) {
    await assert.rejects(call, (error) => {
      assert.ok(error instanceof libhotrod.DecodeError, `${call}: ${error}`)
      assert.match(error.message, new RegExp(`can't decode the ${part} of an entry of cache "json" with a key of \\d bytes: SyntaxError`))
      assert.ok(error.cause instanceof SyntaxError && error.code === 'HOTROD_ERR_DECODE' && error.mayHaveBeenApplied)
      assert.ok(!error.message.includes('horse'), error.message)
      return true
    })
  }
  await assert.rejects(json.get('käse'), /with a key of 5 bytes/)
  await assert.rejects(tags.get('tags'), libhotrod.DecodeError)
  await assert.rejects(tags.getWithMetadata('tags'), libhotrod.DecodeError)
})

test('misuse is told', async (t) => {
  const c = await client(t, await embedded(t), 'local')
  const cache = c.cache()
  for (const [operation, args] of [
    ['nothing', []], ['get', []], ['get', [3]], ['get', [Buffer.from('k'), 1]], ['auth', []],
    ['put', [Buffer.from('k'), { lifespan: -1 }, Buffer.from('v')]], ['put', [Buffer.from('k'), 7, Buffer.from('v')]],
    ['replace_if_unmodified', [Buffer.from('k'), {}, -1n, Buffer.from('v')]], ['bulk_get', [2 ** 40]],
    ['put_all', [{}, [[Buffer.from('k')]]]], ['prepare_tx', [3, false, []]], ['counter_create', ['c', 'weak']],
    ['counter_add_and_get', ['c', 1.5]], ['counter_add_and_get', ['c', 2n ** 64n]],
  ]) {
    await assert.rejects(cache.execute(operation, args), libhotrod.MisuseError, `${operation}`)
  }
  assert.equal(await cache.execute('get', [Buffer.from('k')]), null)
  const change = [{ key: Buffer.from('k'), value: Buffer.from('v'), seen: 'non_existing' }, { key: Buffer.from('l'), value: null, seen: 3n }]
  const xid = { formatId: 1, globalTransactionId: Buffer.from('g'), branchQualifier: Buffer.from('b') }
  await assert.rejects(cache.prepareTx(xid, true, change), (error) => {
    assert.ok(error instanceof libhotrod.ServerError && error.status === 0x85 && error.operation === 'PREPARE_TX')
    return true
  })
  const machine = new libhotrod.Machine('hotrod://localhost')
  for (const number of [0, -1, NaN, 2 ** 60]) {
    machine.connected(0, number)
    machine.received(0, number, Buffer.from('bytes'))
    machine.linkLost(0, number, 'gone')
    assert.equal(machine.transmit(number), null)
    assert.ok(!machine.cancel(number) && !machine.nextEntries(0, number) && !machine.removeListener(0, number))
  }
  assert.throws(() => machine.received(0, 1, 'text'), libhotrod.MisuseError)
  assert.throws(() => new libhotrod.Machine(3), libhotrod.MisuseError)
  assert.throws(() => new libhotrod.Machine('hotrod://h', { seed: Buffer.alloc(3) }), libhotrod.MisuseError)
})

test('an aborted operation', async (t) => {
  const cache = (await client(t, await embedded(t), 'local')).cache()
  const abort = new AbortController()
  const waiting = cache.get('k', { signal: abort.signal })
  abort.abort(new Error('no longer needed'))
  await assert.rejects(waiting, /no longer needed/)
  await assert.rejects(cache.get('k', { signal: AbortSignal.abort() }), { name: 'AbortError' })
  assert.equal(cache._driver.pending.size, 0)
  assert.equal(await cache.get('k', { signal: new AbortController().signal, timeout: 5000 }), null)
})

test('many operations with one AbortSignal', async (t) => {
  const cache = (await client(t, await embedded(t), 'local')).cache()
  const warnings = []
  const warned = (warning) => warnings.push(warning.name)
  process.on('warning', warned)
  t.after(() => process.off('warning', warned))
  const abort = new AbortController()
  const options = { signal: abort.signal }
  assert.deepEqual(new Set(await Promise.all(Array.from({ length: 200 }, () => cache.get('k', options)))), new Set([null]))
  const waiting = Array.from({ length: 200 }, () => cache.get('k', options))
  abort.abort(new Error('no longer needed'))
  const results = await Promise.allSettled(waiting)
  assert.ok(results.every(({ reason }) => reason?.message === 'no longer needed'))
  assert.equal(cache._driver.pending.size, 0)
  // Node emits warnings on the next tick.
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(warnings, [])
  assert.deepEqual(events.getEventListeners(abort.signal, 'abort'), [])
})

test('errors have a code and a cause', async () => {
  await assert.rejects(connect('hotrod://127.0.0.1:1'), (error) => {
    assert.equal(error.code, 'HOTROD_ERR_UNREACHABLE')
    assert.equal(error.cause.code, 'ECONNREFUSED')
    return true
  })
  await assert.rejects(connect('http://h'), { code: 'HOTROD_ERR_MISUSE', name: 'MisuseError' })
  const classes = Object.values(libhotrod).filter((of) => of.prototype instanceof libhotrod.HotRodError)
  assert.equal(new Set(classes.map((Class) => new Class('').code)).size, classes.length)
  assert.equal(new libhotrod.NoSuchCounterError('').code, 'HOTROD_ERR_NO_SUCH_COUNTER')
})

test('the cause of a lost connection', async (t) => {
  const node = await embedded(t)
  const cache = (await client(t, node, 'local', '?socket_timeout=300&max_retries=0')).cache()
  await node.stop()
  const failed = async () => {
    for (let turn = 0; turn < 10; turn += 1) await cache.put('k', 'v')
  }
  await assert.rejects(failed, ({ code, cause }) => /^HOTROD_ERR_/.test(code) && cause instanceof Error)
})

test('durations are milliseconds everywhere', async (t) => {
  const outputs = createRequire(import.meta.url)('../lib/outputs.js')
  assert.equal(outputs[35].make([35, 1, 'h:1', 'draining', 2_000_000], 0).retryAfter, 2000)
  const machine = new libhotrod.Machine('hotrod://127.0.0.1:1?connect_timeout=1500', { now: 5 })
  machine.start(5, machine.cache(5, 'c'))
  const connect = machine.poll().find(({ type }) => type === 'Connect')
  assert.equal(connect.timeout, 1500)
  assert.ok(machine.pollTimeout() > 5 && machine.pollTimeout() <= 20_000, `${machine.pollTimeout()}`)
  const c = await client(t, await embedded(t), 'local')
  await assert.rejects(c.cache().get('k', { timeout: 1e12 }), /milliseconds/)
})

test('answers and events as JSON', async (t) => {
  const c = await client(t, await embedded(t), 'local')
  const cache = c.cache('local', { codecs: { key: codecs.text, value: codecs.text } })
  const listener = await cache.listen()
  await cache.put('k', 'v')
  const entry = await cache.getWithMetadata('k')
  const json = (value) => JSON.parse(JSON.stringify(value))
  assert.deepEqual(json(entry), { value: 'v', version: `${entry.version}`, lifespan: null, maxIdle: null })
  const event = (await listener.next()).value
  assert.equal(json(event).version, `${event.version}`)
  await listener.close()
  for await (const { metadata } of cache.iterate({ includeMetadata: true })) assert.equal(json(metadata).version, `${entry.version}`)
  const counter = c.counter('json')
  await counter.createBounded(0, 2n ** 60n, { initialValue: 5 })
  assert.equal(json(await counter.getConfiguration()).upper, `${2n ** 60n}`)
  const changes = await counter.listen()
  await counter.addAndGet(1)
  assert.deepEqual(json((await changes.next()).value), {
    type: 'counter', counter: 'json', oldValue: '5', oldState: 'valid', newValue: '6', newState: 'valid',
  })
})

test('lifetimes without an end in practice', async (t) => {
  const cache = (await client(t, await embedded(t), 'local')).cache()
  const endless = [Number.MAX_VALUE, 1e20, Number.MAX_SAFE_INTEGER * 1024, 2 ** 63, 2 ** 64, Infinity]
  const counts = ['s', 'ms', 'us', 'ns', 'min', 'h', 'd'].map((unit) => ({ count: 2n ** 64n - 1n, unit }))
  for (const lifetime of [...endless, ...counts]) {
    for (const options of [{ lifespan: lifetime }, { maxIdle: lifetime }, { lifespan: lifetime, maxIdle: lifetime }]) {
      await cache.put('k', 'v', options)
      await cache.putAll([['l', 'v']], options)
      for (const key of ['k', 'l']) {
        const entry = await cache.getWithMetadata(key)
        assert.ok(entry, `${key}: ${Object.keys(options)} of ${lifetime.unit ?? lifetime}`)
        // Nanoseconds of 64 bits are 585 years.
        if (!['us', 'ns'].includes(lifetime.unit)) assert.deepEqual([entry.lifespan, entry.maxIdle], [null, null])
        await cache.remove(key)
      }
    }
  }
  for (const wrong of [0, -1, NaN, '10', -Infinity]) {
    await assert.rejects(cache.put('k', 'v', { lifespan: wrong }), libhotrod.MisuseError)
    await assert.rejects(cache.put('k', 'v', { maxIdle: wrong }), libhotrod.MisuseError)
  }
})

test('servers that are not there', async (t) => {
  await assert.rejects(connect('http://localhost'), libhotrod.MisuseError)
  await assert.rejects(connect('hotrod://127.0.0.1:1'), (error) => {
    assert.ok(error instanceof libhotrod.UnreachableError && error.message.includes('127.0.0.1:1'))
    return true
  })
  await assert.rejects(connect('hotrods://127.0.0.1:1?trust_ca=/nowhere.pem'), /\/nowhere\.pem/)
  const node = await embedded(t)
  const c = await connect(node.uri('local', '?socket_timeout=300'))
  const cache = c.cache()
  await assert.rejects(c.cache('nowhere').get('k'), (error) => error.status === 0x84 && error.message.includes(node.addresses[0]))
  await node.stop()
  await assert.rejects(cache.put('k', 'v').then(() => cache.put('k', 'v')), libhotrod.HotRodError)
  await c.close()
  await assert.rejects(cache.get('k'), libhotrod.ClosedError)
})

test('nothing keeps the process alive after close', async (t) => {
  const node = await embedded(t, 3)
  const program = `
    const { connect } = require(${JSON.stringify(here('../lib/index.js'))})
    connect(${JSON.stringify(node.uri())}).then(async (client) => {
      await client.cache().put('k', 'v')
      await client.cache().listen()
      await client.close()
      console.log('closed')
    })`
  const { stdout } = await run(process.execPath, ['-e', program], { timeout: 20_000 })
  assert.equal(stdout, 'closed\n')
})

test('in a worker', async (t) => {
  const node = await embedded(t)
  const program = `
    const { parentPort } = require('node:worker_threads')
    const { connect } = require(${JSON.stringify(here('../lib/index.js'))})
    connect(${JSON.stringify(node.uri('local'))}).then(async (client) => {
      await client.cache().put('k', 'v')
      parentPort.postMessage((await client.cache().get('k')).toString())
      await client.close()
    })`
  const work = () =>
    new Promise((resolve, reject) => {
      const worker = new Worker(program, { eval: true })
      worker.on('message', resolve)
      worker.on('error', reject)
    })
  assert.deepEqual(await Promise.all([work(), work()]), ['v', 'v'])
  // One that is ended in the middle of its work does no harm to others.
  const abandoned = new Worker(program.replace('await client.close()', ''), { eval: true })
  await new Promise((resolve) => abandoned.on('message', resolve))
  await abandoned.terminate()
  assert.equal(await work(), 'v')
})

test('ESM and CommonJS have the same names', () => {
  const required = createRequire(import.meta.url)('../lib/index.js')
  assert.deepEqual(Object.keys(required).sort(), Object.keys(libhotrod).sort())
})

test('what is generated is not stale', () => {
  const { status, stderr } = spawnSync(process.execPath, [here('../generate.mjs'), '--check'], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
})

test('the programs of both READMEs in strict TypeScript', async (t) => {
  const folder = mkdtempSync(here('readme-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const programs = ['../README.md', '../../../README.md'].flatMap((file) =>
    [...readFileSync(here(file), 'utf8').matchAll(/```js\n([^]*?)```/g)].map(([, program]) => program))
  assert.ok(programs.length >= 2)
  const files = programs.map((program, number) => {
    writeFileSync(join(folder, `${number}.mts`), program)
    return join(folder, `${number}.mts`)
  })
  const config = join(folder, 'tsconfig.json')
  writeFileSync(config, JSON.stringify({ extends: '../tsconfig.json', compilerOptions: { typeRoots: [here('../node_modules/@types')] }, files }))
  const { status, stdout } = spawnSync(process.execPath, [here('../node_modules/typescript/bin/tsc'), '-p', config], { encoding: 'utf8' })
  assert.equal(status, 0, stdout)
})

test('the examples', async (t) => {
  const node = await embedded(t, 3)
  const output = async (example, uri) => (await run(process.execPath, [here(`../examples/${example}`), uri], { timeout: 20_000 })).stdout
  assert.equal(await output('readme.mjs', `hotrod://${node.addresses[0]}`), 'true\n')
  assert.equal(await output('own-sockets.mjs', node.uri()), 'hello from my own sockets\n')
  assert.ok(readFileSync(here('../examples/own-sockets.mjs'), 'utf8').split('\n').length <= 100)
  const program = readFileSync(here('../examples/readme.mjs'), 'utf8').replace(/^\/\/.*\n\n/, '')
  assert.ok(readFileSync(here('../../../README.md'), 'utf8').includes(`\`\`\`js\n${program}\`\`\``), 'the README shows it')
})
