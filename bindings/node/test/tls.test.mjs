// Whom the client takes for the server: TLS servers with certificates that must not do.

import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import tls from 'node:tls'
import { promisify } from 'node:util'

import { connect } from '../lib/index.mjs'
import { embedded } from './servers.mjs'

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
  assert.match(await failure(uri(files)), /client_key=.*encrypted\.pem: the client's key is encrypted/)
  assert.match(await failure(uri(`${files}&client_key_password=wrong`)), /bad decrypt|BAD_DECRYPT/i)
  // The server ends the connection after the handshake.
  assert.doesNotMatch(await failure(uri(`${files}&client_key_password=secret`)), /decrypt|encrypted/i)
})

/** A certificate for 127.0.0.1, marked as that of an authority, and its key. */
function selfSigned(folder, name) {
  const [certificate, key] = [`${name}.pem`, `${name}.key`].map((file) => join(folder, file))
  execFileSync('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
    ...['-addext', 'subjectAltName=IP:127.0.0.1', '-out', certificate, '-keyout', key],
  ], { stdio: 'ignore' })
  return { certificate, key }
}

/** TLS before an embedded node; `replace` shows another certificate, and cuts the present links. */
async function front(t, identity) {
  const node = await embedded(t)
  const [host, port] = node.addresses[0].split(':')
  const options = ({ certificate, key }) => ({ cert: readFileSync(certificate), key: readFileSync(key) })
  const links = new Set()
  const listener = tls.createServer(options(identity), (client) => {
    const upstream = net.connect(Number(port), host)
    for (const socket of [client, upstream]) {
      links.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => (links.delete(socket), client.destroy(), upstream.destroy()))
    }
    client.pipe(upstream).pipe(client)
  })
  listener.on('tlsClientError', () => {})
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  t.after(() => listener.close())
  const replace = (identity) => {
    listener.setSecureContext(options(identity))
    for (const socket of links) socket.destroy()
  }
  return { address: `127.0.0.1:${listener.address().port}`, replace }
}

test('the next link uses files that were replaced', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'libhotrod-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const [first, second] = [selfSigned(folder, 'first'), selfSigned(folder, 'second')]
  const ca = join(folder, 'ca.pem')
  copyFileSync(first.certificate, ca)
  const { address, replace } = await front(t, first)
  const client = await connect(`hotrods://${address}/dist?client_intelligence=basic&trust_ca=${ca}`)
  t.after(() => client.close())
  const cache = client.cache()
  await cache.put('k', 'v')

  const warned = once(process, 'warning')
  writeFileSync(ca, readFileSync(ca).subarray(0, 400))
  replace(first)
  assert.equal((await cache.get('k')).toString(), 'v')
  const [warning] = await warned
  assert.ok(warning.message.includes(`trust_ca=${ca}: `), warning.message)

  copyFileSync(second.certificate, ca)
  replace(second)
  assert.equal((await cache.get('k')).toString(), 'v')
})

test('a file that is not there is named with its property', async (t) => {
  const { certificate } = await server(t, 'IP:127.0.0.1')
  for (const missing of ['trust_ca', 'client_certificate', 'client_key']) {
    const files = { trust_ca: certificate, client_certificate: certificate, client_key: join(certificate, '../key.pem'), [missing]: 'missing.pem' }
    const query = Object.entries(files).map(([name, file]) => `${name}=${file}`).join('&')
    await assert.rejects(connect(`hotrods://127.0.0.1:1?${query}`), (error) => {
      assert.equal(error.code, 'HOTROD_ERR_MISUSE')
      assert.ok(error.message.startsWith(`${missing}=missing.pem: `), error.message)
      return true
    })
  }
})

test('a port without TLS is recognised', async (t) => {
  const { certificate } = await server(t, 'IP:127.0.0.1')
  for (const answer of ['HTTP/1.1 400 Bad Request\r\n\r\n', '\xa1\x00\x50\x81\x00\x00', '']) {
    const listener = net.createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => socket.end(Buffer.from(answer, 'latin1')))
    })
    listener.listen(0, '127.0.0.1')
    await once(listener, 'listening')
    t.after(() => listener.close())
    await assert.rejects(connect(`hotrods://127.0.0.1:${listener.address().port}?trust_ca=${certificate}`), /hotrod:\/\/ instead of hotrods:\/\//)
  }
})
