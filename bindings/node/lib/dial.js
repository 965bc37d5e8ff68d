'use strict'

// TCP connections to hosts with several addresses (RFC 8305). Node's autoSelectFamily ends an attempt when it begins the next one, so
// that a slow address is never reached.

const dns = require('node:dns')
const net = require('node:net')

const { flag, list, number } = require('./checks.js')
const { NativeConnectionAttempts } = require('./native.js').load()

/** Decides when a connection to which address of a host is begun. Documented in index.d.ts. */
class ConnectionAttempts {
  #native

  constructor(isIpv6) {
    for (const family of list('isIpv6', isIpv6)) flag('isIpv6', family)
    this.#native = NativeConnectionAttempts.of(isIpv6)
  }

  pollAttempt(now) {
    return this.#native.pollAttempt(number('now', now)) ?? null
  }

  pollTimeout() {
    return this.#native.pollTimeout() ?? null
  }

  failed() {
    this.#native.failed()
  }

  get exhausted() {
    return this.#native.exhausted
  }
}

/** A connection that is being established: calls `done(error, socket)` once, unless it is destroyed before. */
class Dial {
  #sockets = new Set()
  #timer = null
  #epoch = performance.now()
  #addresses
  #attempts
  #done

  constructor(host, port, done) {
    this.#done = done
    dns.lookup(host, { all: true }, (error, addresses) => {
      if (this.#done === null) return
      if (error) return this.#end(error)
      this.#addresses = addresses.map(({ address }) => ({ host: address, port, noDelay: true }))
      this.#attempts = new ConnectionAttempts(addresses.map(({ family }) => family === 6))
      this.#begin(new Error('the host has no address'))
    })
  }

  // Begins the attempts that are due; `error` is that of the last one.
  #begin(error) {
    clearTimeout(this.#timer)
    const now = performance.now() - this.#epoch
    for (let index = this.#attempts.pollAttempt(now); index !== null; index = this.#attempts.pollAttempt(now)) {
      this.#attempt(net.connect(this.#addresses[index]))
    }
    if (this.#attempts.exhausted) return this.#end(error)
    const due = this.#attempts.pollTimeout()
    if (due !== null) this.#timer = setTimeout(() => this.#begin(error), Math.max(0, Math.ceil(due - now)))
  }

  #attempt(socket) {
    this.#sockets.add(socket)
    socket.once('connect', () => {
      this.#sockets.delete(socket)
      socket.removeAllListeners('error')
      this.#end(null, socket)
    })
    socket.on('error', (error) => {
      this.#sockets.delete(socket)
      if (this.#done === null) return
      this.#attempts.failed()
      this.#begin(error)
    })
  }

  #end(error, socket) {
    const done = this.#done
    this.destroy()
    done(error, socket)
  }

  /** Gives up every attempt. */
  destroy() {
    this.#done = null
    clearTimeout(this.#timer)
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets.clear()
  }
}

module.exports = { ConnectionAttempts, Dial }
