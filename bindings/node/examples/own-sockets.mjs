// A complete host: the machine over own sockets.
//
//   node own-sockets.mjs hotrod://127.0.0.1:11222/dist

import { readFileSync } from 'node:fs'
import { connect, isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { Machine } from 'libhotrod'

class Host {
  constructor(uri) {
    this.machine = new Machine(uri)
    this.sockets = new Map()
    this.waiting = new Map()
    this.timer = null
  }

  now() {
    return performance.now()
  }

  execute(cache, operation, ...args) {
    const submitted = this.machine.submit(this.now(), cache, operation, args)
    return new Promise((resolve, reject) => {
      this.waiting.set(submitted, { resolve, reject })
      this.pump()
    })
  }

  /** Executes the machine's outputs and sets the timer for its deadline. */
  pump() {
    for (let outputs; (outputs = this.machine.poll()).length > 0; ) {
      for (const output of outputs) this[output.type]?.(output)
    }
    clearTimeout(this.timer)
    const deadline = this.machine.pollTimeout()
    if (deadline !== null) this.timer = setTimeout(() => this.wake(), Math.max(0, deadline - this.now()))
  }

  wake() {
    this.machine.timeout(this.now())
    this.pump()
  }

  Connect({ link, host, port, tls }) {
    const socket = connect({ host, port, noDelay: true })
    this.attach(link, tls ? this.secure(socket, tls) : socket, tls ? 'secureConnect' : 'connect')
  }

  StartTls({ link, tls }) {
    const socket = this.sockets.get(link)
    socket.removeAllListeners()
    this.attach(link, this.secure(socket, tls), 'secureConnect')
  }

  secure(socket, { serverName, alpn, trustCa }) {
    const ca = trustCa ? readFileSync(trustCa) : undefined
    return connectTls({ socket, host: serverName, servername: isIP(serverName) ? '' : serverName, ca, ALPNProtocols: alpn })
  }

  attach(link, socket, ready) {
    this.sockets.set(link, socket)
    const report = (call) => (...args) => {
      call(...args)
      this.pump()
    }
    socket.on(ready, report(() => this.machine.connected(this.now(), link, socket.alpnProtocol || null)))
    socket.on('data', report((data) => this.machine.received(this.now(), link, data)))
    socket.on('error', report((error) => this.machine.linkLost(this.now(), link, error.message)))
    socket.on('end', report(() => this.machine.linkLost(this.now(), link, 'the server closed the connection')))
  }

  Transmit({ link }) {
    for (let data; (data = this.machine.transmit(link)) !== null; ) this.sockets.get(link).write(data)
  }

  Close({ link }) {
    this.sockets.get(link)?.destroy()
    this.sockets.delete(link)
  }

  Completed({ id, answer, error }) {
    const { resolve, reject } = this.waiting.get(id)
    this.waiting.delete(id)
    if (error) reject(error)
    else resolve(answer)
  }
}

const host = new Host(process.argv[2] ?? 'hotrod://127.0.0.1:11222/dist')
const cache = host.machine.cache(host.now(), host.machine.defaultCache)
await host.execute(cache, 'put', Buffer.from('greeting'), {}, Buffer.from('hello from my own sockets'))
console.log((await host.execute(cache, 'get', Buffer.from('greeting'))).toString())
host.machine.close(host.now())
host.pump()
