// Whom the client takes for the server: TLS servers with certificates that must not do.

import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import tls from 'node:tls'
import { promisify } from 'node:util'

const run = promisify(execFile)
const index = new URL('../lib/index.mjs', import.meta.url).href

/** A TLS server with a certificate of that subjectAltName (none for null), and what clients have sent to it. */
async function server(t, names) {
  const folder = mkdtempSync(join(tmpdir(), 'libhotrod-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const [certificate, key] = ['cert.pem', 'key.pem'].map((name) => join(folder, name))
  execFileSync('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
    ...(names ? ['-addext', `subjectAltName=${names}`] : []), '-out', certificate, '-keyout', key,
  ], { stdio: 'ignore' })
  const received = []
  const listener = tls.createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (socket) => {
    socket.on('error', () => {})
    socket.on('data', (data) => {
      received.push(data)
      socket.destroy()
    })
  })
  listener.on('tlsClientError', () => {})
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  t.after(() => listener.close())
  const uri = (query) => `hotrods://127.0.0.1:${listener.address().port}/dist?max_retries=0&connect_timeout=2000&${query}`
  return { uri, certificate, received }
}

/** How a connection fails, in a process of its own: NODE_TLS_REJECT_UNAUTHORIZED is read where it is set. */
async function failure(uri, env = {}) {
  const script = `
    const { connect } = await import(${JSON.stringify(index)})
    try { await (await connect(${JSON.stringify(uri)})).close() } catch (error) { console.log(error.message) }`
  const args = ['--no-warnings', '--input-type=module', '--eval', script]
  return (await run(process.execPath, args, { env: { ...process.env, ...env }, timeout: 30_000 })).stdout
}

test('NODE_TLS_REJECT_UNAUTHORIZED is not obeyed', async (t) => {
  const { uri, received } = await server(t, 'IP:127.0.0.1,DNS:localhost')
  const message = await failure(uri(''), { NODE_TLS_REJECT_UNAUTHORIZED: '0' })
  assert.match(message, /self-signed certificate|DEPTH_ZERO/i)
  assert.deepEqual(received, [])
})

test('the common name is no name of the server', async (t) => {
  const { uri, certificate, received } = await server(t, null)
  const message = await failure(uri(`trust_ca=${certificate}&sni_host_name=localhost`))
  assert.match(message, /does not contain a DNS name/)
  assert.deepEqual(received, [])
})

test('nor beside a subjectAltName of other names', async (t) => {
  const { uri, certificate, received } = await server(t, 'IP:127.0.0.9,DNS:other.example')
  const message = await failure(uri(`trust_ca=${certificate}&sni_host_name=localhost`))
  assert.match(message, /not in the cert's altnames/)
  assert.deepEqual(received, [])
})

test('a certificate that names the server does', async (t) => {
  const { uri, certificate, received } = await server(t, 'DNS:localhost')
  await failure(uri(`trust_ca=${certificate}&sni_host_name=localhost`))
  assert.ok(received.length > 0)
})

test('an encrypted key has a pass phrase, or is refused by name', async (t) => {
  const { uri, certificate } = await server(t, 'IP:127.0.0.1')
  const [key, encrypted] = ['key.pem', 'encrypted.pem'].map((name) => join(certificate, '..', name))
  execFileSync('openssl', ['pkey', '-aes256', '-passout', 'pass:secret', '-in', key, '-out', encrypted])
  const files = `trust_ca=${certificate}&client_certificate=${certificate}&client_key=${encrypted}`
  assert.match(await failure(uri(files)), /encrypted\.pem: the client's key is encrypted/)
  assert.match(await failure(uri(`${files}&client_key_password=wrong`)), /bad decrypt|BAD_DECRYPT/i)
  // The server ends the connection after the handshake.
  assert.doesNotMatch(await failure(uri(`${files}&client_key_password=secret`)), /decrypt|encrypted/i)
})
