// Memory of the caller's that JavaScript takes away while the native part reads arguments.
//
// Each attack runs in a process of its own: a read of memory that is gone may end it.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const index = new URL('../lib/index.mjs', import.meta.url).href
const SIZE = 1 << 26

/** What the script prints; it has a machine `m`, a cache `c`, and what follows here. */
async function attack(script) {
  const prelude = `
    import { Machine } from ${JSON.stringify(index)}
    const m = new Machine('hotrod://127.0.0.1', { seed: new Uint8Array(32) })
    const c = m.cache(0, 'dist')
    // A view of memory that goes away at once with its ArrayBuffer, and what takes it away.
    const resizable = () => {
      const memory = new ArrayBuffer(${SIZE}, { maxByteLength: ${SIZE} })
      return [new Uint8Array(memory), () => memory.resize(0)]
    }
    const transferable = () => {
      const memory = new ArrayBuffer(${SIZE})
      return [new Uint8Array(memory), () => { structuredClone(memory, { transfer: [memory] }); globalThis.gc() }]
    }
    const both = [...('resize' in ArrayBuffer.prototype ? [resizable] : []), transferable]
    const value = Buffer.from('v')
    const outcome = (call) => { try { call(); return 'accepted' } catch (error) { return error.name + ': ' + error.message } }
  `
  const args = ['--expose-gc', '--input-type=module', '--eval', prelude + script]
  return (await run(process.execPath, args, { timeout: 60_000, maxBuffer: 1 << 20 })).stdout.trim()
}

const MUST_LIVE = {
  'an element of an entry': (view, take) => `
    const pair = Object.defineProperty([value], '1', { get() { ${take}; return value } })
    outcome(() => m.submit(0, c, 'put_all', [{}, [[${view}, ${view}], pair]]))`,
  'an element of a list of keys': (view, take) => `
    const keys = Object.defineProperty([${view}, value], '1', { get() { ${take}; return value } })
    outcome(() => m.submit(0, c, 'get_all', [keys]))`,
  'a field of an Xid': (view, take) => `
    const xid = { formatId: 1, globalTransactionId: ${view}, get branchQualifier() { ${take}; return value } }
    outcome(() => m.submit(0, c, 'commit_tx', [xid]))`,
  'a Proxy of a modification': (view, take) => `
    const modification = new Proxy({ key: value, value: ${view} }, { get(target, name) {
      if (name === 'key') { ${take} }
      return target[name]
    } })
    const xid = { formatId: 1, globalTransactionId: value, branchQualifier: value }
    outcome(() => m.submit(0, c, 'prepare_tx_2', [xid, true, true, 1000, [modification]]))`,
  'a later argument': (view, take) => `
    const given = [${view}, { get lifespan() { ${take} } }, value]
    outcome(() => m.submit(0, c, 'put', given))`,
  'parameters of a cache': (view, take) => `
    const pair = Object.defineProperty(['b'], '1', { get() { ${take}; return value } })
    outcome(() => m.cache(0, 'other', { parameters: [['a', ${view}], pair] }))`,
  "a filter's parameters": (view, take) => `
    const parameters = Object.defineProperty([${view}, value], '1', { get() { ${take}; return value } })
    outcome(() => m.listen(0, c, { filter: { name: 'f', parameters } }))`,
  'segments of an iteration': (view, take) => `
    const parameters = Object.defineProperty([], '0', { get() { ${take}; return value } })
    outcome(() => m.iterate(0, c, { segments: ${view}, filterConverter: { name: 'f', parameters } }))`,
}

for (const [name, script] of Object.entries(MUST_LIVE)) {
  test(`memory that goes away: ${name}`, async () => {
    const attempt = script('view', 'take()')
    assert.equal(await attack(`for (const make of both) { const [view, take] = make(); ${attempt} }; console.log('alive')`), 'alive')
  })
}

test('bytes are those of the moment in which they were read', async () => {
  const script = `
    const key = Buffer.from('before')
    const link = (() => { m.start(0, c); return m.poll().find(({ type }) => type === 'Connect').link })()
    const list = [[key, Buffer.from('v')], null]
    Object.defineProperty(list, '1', { get() { key.write('after!'); return [Buffer.from('other'), Buffer.from('v')] } })
    console.log(outcome(() => m.submit(0, c, 'put_all', [{}, list])), key.toString(), link > 0)`
  assert.equal(await attack(script), 'accepted after! true')
})

test('a transferred buffer is refused, and not taken for an empty one', async () => {
  const script = `
    const memory = new ArrayBuffer(8)
    const view = new Uint8Array(memory)
    structuredClone(memory, { transfer: [memory] })
    console.log(outcome(() => m.submit(0, c, 'get', [view])))
    console.log(outcome(() => m.received(0, 1, view)))
    console.log(outcome(() => m.submit(0, c, 'get', [new Uint8Array(0)])))`
  const [key, data, empty] = (await attack(script)).split('\n')
  assert.match(key, /^MisuseError: argument key: expected a Buffer or Uint8Array that was not transferred/)
  assert.match(data, /^MisuseError: data: /)
  assert.equal(empty, 'accepted')
})

test('views of shared memory and of any element type', async () => {
  const script = `
    const shared = new Uint8Array(new SharedArrayBuffer(8)).fill(7)
    console.log([shared, new Uint16Array(4), new DataView(new ArrayBuffer(8), 1), new Float64Array(1)]
      .map((view) => outcome(() => m.submit(0, c, 'get', [view]))).join())
    m.received(0, 1, shared)
    console.log([{}, [1], 'text', new ArrayBuffer(8), null].map((wrong) => outcome(() => m.submit(0, c, 'get', [wrong])).split(':')[0]).join())`
  assert.equal(
    await attack(script),
    'accepted,accepted,accepted,accepted\nMisuseError,MisuseError,MisuseError,MisuseError,MisuseError',
  )
})

test('shared memory that another thread writes meanwhile', async () => {
  const script = `
    import { Worker } from 'node:worker_threads'
    const shared = new Uint8Array(new SharedArrayBuffer(1 << 16))
    const writer = new Worker('const { workerData: w } = require("node:worker_threads"); for (;;) w.fill(Math.random() * 256)', { eval: true, execArgv: [], workerData: shared })
    await new Promise((resolve) => writer.once('online', resolve))
    for (let i = 0; i < 200; i++) { m.submit(0, c, 'put', [value, {}, shared]); m.received(0, 1, shared) }
    await writer.terminate()
    console.log('alive')`
  assert.equal(await attack(script), 'alive')
})

test('the length of a sparse array reserves no memory', async () => {
  const script = `
    const sparse = new Array(2 ** 32 - 1)
    console.log([['put_all', [{}, sparse]], ['get_all', [sparse]], ['prepare_tx_2', [{}, true, true, 0, sparse]]]
      .map(([name, args]) => outcome(() => m.submit(0, c, name, args)).split(':')[0]).join())
    console.log(outcome(() => m.listen(0, c, { filter: { name: 'f', parameters: sparse } })).split(':')[0])`
  assert.equal(await attack(script), 'MisuseError,MisuseError,MisuseError\nMisuseError')
})

test('a machine that is called while it reads arguments', async () => {
  const script = `
    let inner
    const given = { get lifespan() { inner = outcome(() => m.poll()) + '; ' + outcome(() => m.submit(0, c, 'ping', [])) } }
    console.log(outcome(() => m.submit(0, c, 'put', [value, given, value])))
    console.log(inner)
    console.log(outcome(() => m.submit(0, c, 'get', [value])))`
  const [outer, inner, later] = (await attack(script)).split('\n')
  assert.equal(outer, 'accepted')
  assert.match(inner, /borrowed.*; MisuseError: .*borrowed/)
  assert.equal(later, 'accepted')
})

test("an error of the caller's getter is thrown as it is", async () => {
  const script = `
    const given = { get lifespan() { throw new RangeError('mine') } }
    console.log(outcome(() => m.submit(0, c, 'put', [value, given, value])))
    console.log(m.pollTimeout(), outcome(() => m.submit(0, c, 'get', [value])))`
  assert.match(await attack(script), /mine\nnull accepted$|mine\n.* accepted$/)
})

test('the number of a cache is released with its object', async () => {
  const base = new URL('../lib/base.js', import.meta.url).href
  const script = `
    const { CacheBase } = (await import(${JSON.stringify(base)})).default
    const driver = { machine: m, now: () => 0, schedule() {} }
    const kept = new CacheBase(driver, { name: 'dist' })
    let cache = new CacheBase(driver, { name: 'dist', parameters: [] })
    const number = cache._cache
    console.log(outcome(() => m.view(number)))
    cache = null
    for (let turn = 0; turn < 1000 && outcome(() => m.view(number)) === 'accepted'; turn++) {
      globalThis.gc()
      await new Promise(setImmediate)
    }
    console.log(outcome(() => m.view(number)), outcome(() => m.view(kept._cache)))`
  assert.match(await attack(script), /^accepted\nMisuseError: there is no cache \d+ accepted$/)
})
