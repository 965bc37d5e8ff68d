// The client against real Infinispan: TLS, SCRAM, a proxy, transactions, a node that is killed under load, an example.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect as dial } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { HandshakeError, HotRodError, UnreachableError, connect } from '../lib/index.mjs'
import { real } from './servers.mjs'

const skip = process.env.SKIP_REAL ? 'SKIP_REAL is set: nothing is tried on a real server' : false

/** A forward proxy that tunnels by CONNECT for who knows the user and the password. */
async function proxy(t, user, password) {
  const wanted = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  const state = { tunnels: 0, address: null }
  const server = createServer()
  server.on('connect', (request, client) => {
    if (request.headers['proxy-authorization'] !== wanted) {
      return client.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n')
    }
    state.tunnels += 1
    const [host, port] = request.url.split(':')
    const target = dial({ host, port: Number(port) }, () => client.write('HTTP/1.1 200 Connection established\r\n\r\n'))
    for (const [from, to] of [[client, target], [target, client]]) {
      from.pipe(to)
      from.on('error', () => to.destroy())
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  state.address = `127.0.0.1:${server.address().port}`
  return state
}

test('TLS, SCRAM, certificates and a proxy', { skip }, async (t) => {
  const secure = await real(t, '--flavour', 'secure')
  const uri = (user = 'admin:changeme', query = '') =>
    `hotrods://${user}@${secure.addresses[0]}/local?trust_ca=${secure.announced.ca}&sasl_mechanism=SCRAM-SHA-256${query}`
  const client = await connect(uri())
  t.after(() => client.close())
  await client.cache().put('k', Buffer.alloc(1_000_000, 'v'))
  assert.equal((await client.cache().get('k')).length, 1_000_000)
  await assert.rejects(connect(uri('admin:wrong')), (error) => {
    assert.ok(error instanceof HandshakeError && /authentication as "admin" by SCRAM-SHA-256 failed/.test(error.message))
    return !error.message.includes('wrong')
  })
  await assert.rejects(connect(`hotrods://admin:changeme@${secure.addresses[0]}/local`), UnreachableError)
  await assert.rejects(connect(uri(undefined, '&sni_host_name=example.com')), (error) => {
    assert.ok(error instanceof UnreachableError && /example\.com/.test(error.message), error.message)
    return true
  })
  const through = await proxy(t, 'me', 'secret')
  const tunnelled = await connect(uri(undefined, `&proxy=http://me:secret%40${through.address}`))
  t.after(() => tunnelled.close())
  await tunnelled.cache().put('through', 'a proxy')
  assert.equal((await tunnelled.cache().get('through')).toString(), 'a proxy')
  assert.ok(through.tunnels >= 1)
  await assert.rejects(connect(uri(undefined, `&proxy=http://${through.address}`)), /407/)
})

test('transactions, and a node that is killed under load', { skip }, async (t) => {
  const servers = await real(t, '--nodes', '3')
  const client = await connect(`hotrod://${servers.addresses[0]},${servers.addresses[1]}/dist`)
  t.after(() => client.close())
  // A local cache: each node has its own.
  const one = await connect(`hotrod://${servers.addresses[0]}/tx`)
  t.after(() => one.close())
  const tx = one.cache()
  const xid = { formatId: 7, globalTransactionId: Buffer.from('global'), branchQualifier: Buffer.from('branch') }
  const changes = [
    { key: Buffer.from('a'), value: Buffer.from('1'), seen: 'non_existing' },
    { key: Buffer.from('b'), value: Buffer.from('2') },
  ]
  assert.equal(await tx.prepareTx2(xid, false, false, 60_000n, changes), 0n)
  assert.equal(await tx.commitTx(xid), 0n)
  assert.equal((await tx.getAll(['a', 'b'])).size, 2)
  assert.ok((await client.cache().exec('@@cache@names')).includes('dist'))

  const cache = client.cache()
  const end = Date.now() + 8000
  const written = new Map()
  const errors = []
  let operations = 0
  const work = async (number) => {
    const key = `node ${number}`
    // A busy machine takes longer for enough of them.
    for (let turn = 1; (Date.now() < end || operations <= 1000) && errors.length < 5; turn += 1) {
      const value = `${turn}`
      try {
        await cache.put(key, value)
        written.set(key, new Set([value]))
        assert.equal((await cache.get(key)).toString(), value)
        operations += 2
      } catch (error) {
        if (!(error instanceof HotRodError)) throw error
        errors.push(error)
        if (error.mayHaveBeenApplied) written.set(key, (written.get(key) ?? new Set()).add(value))
      }
    }
  }
  const kill = sleep(2000).then(() => servers.obey('kill 2'))
  await Promise.all([kill, ...Array.from({ length: 32 }, (_, number) => work(number))])
  for (const [key, values] of written) assert.ok(values.has((await cache.get(key)).toString()), key)
  assert.ok(operations > 1000 && errors.length < 5, `${operations} operations, ${errors}`)
})

test('the example with objects, on the caches of docs/keys-and-values.md', { skip }, async (t) => {
  const here = (path) => fileURLToPath(new URL(path, import.meta.url))
  const [, caches] = /```xml\n([^]*?)```/.exec(readFileSync(here('../../../docs/keys-and-values.md'), 'utf8'))
  const server = await real(t, '--caches', caches)
  const command = [here('../examples/objects.mjs'), `hotrod://${server.addresses[0]}`]
  const { stdout } = await promisify(execFile)(process.execPath, command, { timeout: 20_000 })
  assert.deepEqual(stdout.trimEnd().split('\n'), [
    ...['lamp costs 1999', 'together 10899', 'last order: 7', 'order 7: lamp for 1999'],
    '{"_type":"shop.Order","item":"lamp","price":1999}',
  ])
})
