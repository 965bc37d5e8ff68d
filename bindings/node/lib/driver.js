'use strict'

// Moves bytes between the machine and sockets, and decides nothing.

const net = require('node:net')
const tls = require('node:tls')

const { Credentials, explained } = require('./credentials.js')
const { Dial } = require('./dial.js')
const { ClosedError } = require('./errors.js')

// Bytes per write; between writes the socket may ask to wait for `drain`.
const WRITE_SIZE = 1 << 18
// Longest delay of a Node timer, in milliseconds.
const MAX_DELAY = 2 ** 31 - 1
// Errors of links that are kept as causes.
const LOSSES = 32
// RFC 9266, 2.
const EXPORTER_LABEL = 'EXPORTER-Channel-Binding'
const EXPORTER_LENGTH = 32

/** A machine, its links, and the promises and queues that receive its outputs. */
class Driver {
  constructor(machine, codecs) {
    this.machine = machine
    // Codecs of keys and values in caches and multimaps that have none of their own.
    this.codecs = codecs
    this.pending = new Map()
    this.iterations = new Map()
    this.listeners = new Map()
    this.subscribers = new Set()
    this.started = new Promise((resolve, reject) => Object.assign(this, { resolveStarted: resolve, rejectStarted: reject }))
    this.ended = new Promise((resolve) => (this.resolveEnded = resolve))
    this.epoch = performance.now()
    this.links = new Map()
    this.credentials = new Credentials(machine.tls)
    // The last errors of links by their message, the newest last.
    this.losses = new Map()
    this.scheduled = false
    this.timer = null
    this.alarm = Infinity
    this.flush = () => {
      this.scheduled = false
      this.pump()
    }
  }

  /** Returns the machine's time: milliseconds since the driver was created. */
  now() {
    return performance.now() - this.epoch
  }

  /** Schedules `pump` after pending callbacks, so that their operations share a write. */
  schedule() {
    if (!this.scheduled) {
      this.scheduled = true
      setImmediate(this.flush)
    }
  }

  /** Executes the machine's outputs. */
  pump() {
    for (let outputs = this.machine.poll(); outputs.length > 0; outputs = this.machine.poll()) {
      for (const output of outputs) this.handle(output)
    }
    this.setTimer()
  }

  handle(output) {
    switch (output.type) {
      case 'Completed':
        return settle(this.pending, output.id, this.withCause(output.error), output)
      case 'Entries':
        return settle(this.iterations, output.id, this.withCause(output.error), output.entries)
      case 'Transmit':
        return this.send(this.links.get(output.link))
      case 'Connect':
        return this.connect(output)
      case 'StartTls':
        return this.startTls(output)
      case 'Pause':
        return this.links.get(output.link)?.socket.pause()
      case 'Resume':
        return this.links.get(output.link)?.socket.resume()
      case 'Close':
        return this.close(output.link)
      case 'Started':
        return this.resolveStarted()
      case 'StartFailed':
        return this.rejectStarted(this.withCause(output.error))
      case 'Entry':
      case 'Counter':
      case 'ListenerRegistered':
      case 'ListenerMoved':
      case 'ListenerFailed':
        return this.listeners.get(output.listener)?.(output)
      default:
        for (const notify of this.subscribers) notify(output)
    }
  }

  connect({ link, host, port, tls: secure }) {
    const state = { link, socket: null, dial: null, needsDrain: false }
    this.links.set(link, state)
    const options = this.optionsOf(state, secure)
    if (options === null) return
    state.dial = new Dial(host, port, (error, socket) => {
      state.dial = null
      if (error) return this.lost(link, error)
      state.socket = socket
      if (secure) return this.secure(state, options)
      this.attach(state, socket)
      this.established(state)
    })
  }

  startTls({ link, tls: secure }) {
    const state = this.links.get(link)
    const options = this.optionsOf(state, secure)
    if (options !== null) this.secure(state, options)
  }

  // Options of tls.connect; null if a file can't be read, which fails the link.
  optionsOf(state, secure) {
    if (!secure) return undefined
    try {
      const { serverName, alpn } = secure
      return {
        host: serverName,
        // SNI has no IP addresses; the certificate is verified for them by checkServerIdentity.
        servername: net.isIP(serverName) ? '' : serverName,
        checkServerIdentity: (_, certificate) => checkIdentity(serverName, certificate),
        // Overrides NODE_TLS_REJECT_UNAUTHORIZED.
        rejectUnauthorized: true,
        ALPNProtocols: alpn.length > 0 ? alpn : undefined,
        secureContext: this.credentials.context(secure),
      }
    } catch (error) {
      this.fail(state, error)
      return null
    }
  }

  secure(state, options) {
    const { link, socket } = state
    socket.removeAllListeners()
    socket.on('error', (error) => this.lost(link, error))
    try {
      this.attach(state, tls.connect({ socket, ...options }), true)
    } catch (error) {
      this.fail(state, error)
    }
  }

  // Reports the failure after the outputs of the current poll.
  fail(state, error) {
    setImmediate(() => this.lost(state.link, error))
  }

  // Reports an established link.
  established({ link, socket }) {
    if (!this.links.has(link)) return
    this.describe(link, socket)
    this.machine.connected(this.now(), link, socket.alpnProtocol || null)
    this.pump()
  }

  attach(state, socket, isShakingHands = false) {
    const { link } = state
    state.socket = socket
    const lost = (error) => this.lost(link, isShakingHands ? explained(error) : error)
    socket.on('secureConnect', () => {
      isShakingHands = false
      this.established(state)
    })
    socket.on('data', (data) => {
      this.machine.received(this.now(), link, data)
      this.pump()
    })
    socket.on('drain', () => {
      state.needsDrain = false
      this.send(state)
      this.pump()
    })
    socket.on('error', lost)
    socket.on('end', () => lost(Object.assign(new Error('the server closed the connection'), { code: 'ECONNRESET' })))
    socket.on('close', () => this.lost(link, new Error('the connection was closed')))
  }

  // Sets the link properties that the machine needs before `connected`.
  describe(link, socket) {
    if (socket.remoteAddress) this.machine.setPeer(link, socket.remoteAddress)
    if (!socket.encrypted) return
    if (socket.getProtocol() === 'TLSv1.3') {
      const exported = socket.exportKeyingMaterial(EXPORTER_LENGTH, EXPORTER_LABEL, Buffer.alloc(0))
      this.machine.setTlsExporter(link, exported)
    } else {
      const { raw } = socket.getPeerCertificate()
      if (raw) this.machine.setServerCertificate(link, raw)
    }
  }

  send(state) {
    while (state && !state.needsDrain) {
      const data = this.machine.transmit(state.link, WRITE_SIZE)
      if (data === null) return
      state.needsDrain = !state.socket.write(data)
    }
  }

  lost(link, error) {
    if (!this.links.has(link)) return
    const why = error.message || error.code || String(error)
    this.losses.delete(why)
    this.losses.set(why, error)
    if (this.losses.size > LOSSES) this.losses.delete(this.losses.keys().next().value)
    this.machine.linkLost(this.now(), link, why)
    this.pump()
  }

  // Adds the error of the link whose message the machine's error has.
  withCause(error) {
    if (error === null) return null
    for (const [why, cause] of this.losses) {
      if (error.message.includes(why)) Object.defineProperty(error, 'cause', { value: cause, configurable: true, writable: true })
    }
    return error
  }

  close(link) {
    const state = this.links.get(link)
    this.links.delete(link)
    state?.dial?.destroy()
    if (!state?.socket) return
    if (state.socket.connecting) return state.socket.destroy()
    state.socket.end()
    // A server that keeps its end open must not keep the process alive.
    state.socket.unref()
  }

  setTimer() {
    const wanted = this.machine.pollTimeout()
    if (wanted === null) {
      if (this.machine.closed) this.finish()
      return
    }
    // A timer that fires early is harmless: it sets the next one.
    if (wanted < this.alarm) {
      clearTimeout(this.timer)
      this.alarm = wanted
      const delay = Math.min(Math.max(0, Math.ceil(wanted - this.now())), MAX_DELAY)
      this.timer = setTimeout(() => this.wake(), delay)
    }
  }

  wake() {
    this.alarm = Infinity
    this.machine.timeout(this.now())
    this.pump()
  }

  finish() {
    clearTimeout(this.timer)
    for (const notify of [...this.subscribers, ...this.listeners.values()]) notify(null)
    this.subscribers.clear()
    this.listeners.clear()
    for (const { reject } of [...this.pending.values(), ...this.iterations.values()]) {
      reject(new ClosedError('the client is closed'))
    }
    this.resolveEnded()
  }
}

/** Verifies a server's name by the subjectAltName alone (RFC 9525); Node would fall back to the common name. */
function checkIdentity(name, certificate) {
  const { CN, ...subject } = certificate.subject ?? {}
  return tls.checkServerIdentity(name, { ...certificate, subject })
}

/** Settles the promise of `id`, if it is still pending. */
function settle(waiting, id, error, value) {
  const waiter = waiting.get(id)
  if (waiter === undefined) return
  waiting.delete(id)
  waiter.forget?.()
  if (error === null) waiter.resolve(value)
  else waiter.reject(error)
}

module.exports = { Driver }
