// How links are established: a name with several addresses.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import dns from 'node:dns'
import { once } from 'node:events'
import net from 'node:net'
import { mock, test } from 'node:test'

import { ConnectionAttempts, MisuseError, connect } from '../lib/index.mjs'
import { embedded } from './servers.mjs'

/** A listener whose queue of connections is full: it answers no further one. Node's own listeners accept every connection. */
async function silent(t, host, port) {
  const script = `
import socket, sys
listening, filling = socket.socket(), socket.socket()
listening.bind((sys.argv[1], int(sys.argv[2])))
listening.listen(0)
filling.connect(listening.getsockname())
print("silent", flush=True)
sys.stdin.read()`
  const child = spawn('python3', ['-c', script, host, `${port}`], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(async () => {
    child.stdin.end()
    await once(child, 'exit')
  })
  await once(child.stdout, 'data')
}

test('a silent first address', async (t) => {
  const node = await embedded(t)
  const port = Number(node.addresses[0].split(':')[1])
  await silent(t, '127.0.0.2', port)
  const lookup = dns.lookup
  mock.method(dns, 'lookup', (host, options, done) => {
    if (host !== 'two.test') return lookup(host, options, done)
    process.nextTick(done, null, ['127.0.0.2', '127.0.0.1'].map((address) => ({ address, family: 4 })))
  })
  t.after(() => mock.restoreAll())
  const client = await connect(`hotrod://two.test:${port}/dist?client_intelligence=basic`)
  t.after(() => client.close())
  await client.cache().put('k', 'v')
  assert.equal((await client.cache().get('k')).toString(), 'v')
})

test('connection attempts for hosts with own sockets', () => {
  const attempts = new ConnectionAttempts([false, false, true])
  assert.deepEqual([attempts.pollAttempt(0), attempts.pollAttempt(0), attempts.pollTimeout()], [0, null, 250])
  attempts.failed()
  assert.deepEqual([attempts.pollAttempt(0), attempts.pollAttempt(250), attempts.exhausted], [2, 1, false])
  attempts.failed()
  attempts.failed()
  assert.deepEqual([attempts.exhausted, attempts.pollTimeout()], [true, null])
  assert.throws(() => new ConnectionAttempts('no'), MisuseError)
  assert.throws(() => new ConnectionAttempts([1]), MisuseError)
})

test('a refused connection names the address', async () => {
  const listener = net.createServer()
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address()
  listener.close()
  await once(listener, 'close')
  await assert.rejects(connect(`hotrod://127.0.0.1:${port}`), new RegExp(`127\\.0\\.0\\.1:${port}: .*ECONNREFUSED`))
})
