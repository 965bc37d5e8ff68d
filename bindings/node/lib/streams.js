'use strict'

const { HotRodError } = require('./errors.js')
const { jsonSafe } = require('./json.js')

// Events queued for a subscriber before the oldest is dropped.
const EVENT_QUEUE_LIMIT = 1024

/** Entries of a cache, each once, from all members at the same time. */
class Iteration {
  constructor(driver, iteration, decode) {
    this._driver = driver
    this._iteration = iteration
    this._decode = decode
    this._batch = []
    this._at = 0
    this._next = null
    this._last = Promise.resolve()
  }

  [Symbol.asyncIterator]() {
    return this
  }

  /** Calls run one after the other, as in generators, so a pending batch is not requested twice. */
  next() {
    const result = this._last.then(() => this._advance())
    this._last = result.catch(() => {})
    return result
  }

  async _advance() {
    while (this._at === this._batch.length) {
      if (this._iteration === null) return { done: true, value: undefined }
      this._request()
      const next = this._next
      this._next = null
      try {
        this._batch = await next
      } catch (error) {
        if (error instanceof HotRodError) this._iteration = null
        throw error
      }
      this._at = 0
      // Ended while the batch was pending.
      if (this._iteration === null) this._batch = []
      else if (this._batch.length === 0) this._iteration = null
      // Prefetches the next batch.
      else this._request()
    }
    return { done: false, value: this._decode(this._batch[this._at++]) }
  }

  _request() {
    if (this._next !== null || this._iteration === null) return
    const driver = this._driver
    this._next = new Promise((resolve, reject) => {
      if (driver.machine.nextEntries(driver.now(), this._iteration)) {
        driver.iterations.set(this._iteration, { resolve, reject })
      } else {
        resolve([])
      }
    })
    // A rejection is handled when the batch is awaited, if it ever is.
    this._next.catch(() => {})
    driver.schedule()
  }

  async return() {
    const iteration = this._iteration
    this._iteration = null
    this._batch = []
    this._at = 0
    if (iteration !== null) {
      this._driver.iterations.get(iteration)?.resolve([])
      this._driver.iterations.delete(iteration)
      this._driver.machine.endIteration(this._driver.now(), iteration)
      this._driver.schedule()
    }
    return { done: true, value: undefined }
  }

  close() {
    return this.return().then(() => undefined)
  }
}

/** A queue with asynchronous readers; beyond `limit` items it drops the oldest. */
class Queue {
  constructor(limit = Infinity) {
    this._limit = limit
    this._items = []
    this._waiting = []
    this._ended = null
  }

  push(item) {
    const waiting = this._waiting.shift()
    if (waiting) return waiting.resolve({ done: false, value: item })
    if (this._items.length >= this._limit) this._items.shift()
    this._items.push(item)
  }

  /** Ends the queue; with an error, pending and later reads reject with it. */
  end(error = null) {
    if (this._ended) return
    this._ended = { error }
    for (const { resolve, reject } of this._waiting.splice(0)) {
      if (error) reject(error)
      else resolve({ done: true, value: undefined })
    }
  }

  async next() {
    if (this._items.length > 0) return { done: false, value: this._items.shift() }
    if (this._ended?.error) throw this._ended.error
    if (this._ended) return { done: true, value: undefined }
    return new Promise((resolve, reject) => this._waiting.push({ resolve, reject }))
  }
}

/** Events of a cache or a counter, in order; none is dropped. */
class Listener {
  constructor(driver, listener, decode) {
    this._driver = driver
    this._listener = listener
    this._decode = decode
    this._queue = new Queue()
    this._ready = new Promise((resolve, reject) => {
      driver.listeners.set(listener, (output) => this._onOutput(output, resolve, reject))
    })
    driver.schedule()
  }

  _onOutput(output, resolve, reject) {
    if (output === null) {
      this._queue.end()
    } else if (output.type === 'ListenerRegistered') {
      resolve(this)
    } else if (output.type === 'ListenerFailed') {
      this._driver.listeners.delete(this._listener)
      reject(output.error)
      this._queue.end(output.error)
    } else {
      this._queue.push(output)
    }
  }

  [Symbol.asyncIterator]() {
    return this
  }

  async next() {
    const result = await this._queue.next()
    if (result.done) return result
    const output = result.value
    if (output.type === 'ListenerMoved') return { done: false, value: { type: 'moved', member: output.member } }
    this._driver.machine.eventsTaken(this._driver.now(), this._listener, 1)
    this._driver.schedule()
    return { done: false, value: this._event(output) }
  }

  _event(output) {
    if (output.type === 'Counter') {
      const { counter, oldValue, oldState, newValue, newState } = output
      return jsonSafe({ type: 'counter', counter, oldValue, oldState, newValue, newState })
    }
    const { change, key, version, data, retried } = output
    return jsonSafe({ type: change, key: key === null ? null : this._decode(key), version, data, retried })
  }

  async return() {
    await this.close()
    return { done: true, value: undefined }
  }

  async close() {
    const driver = this._driver
    if (driver.listeners.delete(this._listener)) {
      driver.machine.removeListener(driver.now(), this._listener)
      driver.schedule()
    }
    this._queue.end()
  }
}

/** Events of members, topologies, sites and near caches. */
class ClientEvents {
  constructor(driver) {
    this._driver = driver
    this._queue = new Queue(EVENT_QUEUE_LIMIT)
    this._onOutput = (output) => (output === null ? this._queue.end() : this._queue.push(output))
    if (driver.machine.closed) this._queue.end()
    else driver.subscribers.add(this._onOutput)
  }

  [Symbol.asyncIterator]() {
    return this
  }

  next() {
    return this._queue.next()
  }

  async return() {
    this._driver.subscribers.delete(this._onOutput)
    this._queue.end()
    return { done: true, value: undefined }
  }

  close() {
    return this.return().then(() => undefined)
  }
}

// Node defines the symbol since 18.18.
const asyncDispose = Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')
for (const Closable of [Iteration, Listener, ClientEvents]) {
  Closable.prototype[asyncDispose] = Closable.prototype.close
}

module.exports = { Iteration, Listener, ClientEvents, asyncDispose }
