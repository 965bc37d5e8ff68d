'use strict'

const { HotRodError } = require('./errors.js')

// Happenings that a subscriber may be behind before it misses the oldest.
const MOST_HAPPENINGS = 1024

/** Entries of a cache, each once, from all members at the same time. */
class Iteration {
  constructor(driver, iteration, decode) {
    this._driver = driver
    this._iteration = iteration
    this._decode = decode
    this._batch = []
    this._at = 0
    this._next = null
    this._turn = Promise.resolve()
  }

  [Symbol.asyncIterator]() {
    return this
  }

  /** One after the other, as generators do: a batch that somebody waits for is not asked for again. */
  next() {
    const taken = this._turn.then(() => this._take())
    this._turn = taken.catch(() => {})
    return taken
  }

  async _take() {
    while (this._at === this._batch.length) {
      if (this._iteration === null) return { done: true, value: undefined }
      this._ask()
      const next = this._next
      this._next = null
      try {
        this._batch = await next
      } catch (error) {
        if (error instanceof HotRodError) this._iteration = null
        throw error
      }
      this._at = 0
      // It was ended meanwhile.
      if (this._iteration === null) this._batch = []
      else if (this._batch.length === 0) this._iteration = null
      // The next come while these are used.
      else this._ask()
    }
    return { done: false, value: this._decode(this._batch[this._at++]) }
  }

  _ask() {
    if (this._next !== null || this._iteration === null) return
    const driver = this._driver
    this._next = new Promise((resolve, reject) => {
      if (driver.machine.nextEntries(driver.now(), this._iteration)) {
        driver.iterations.set(this._iteration, { resolve, reject })
      } else {
        resolve([])
      }
    })
    // It is looked at later, if at all.
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

/** A queue that somebody waits for. */
class Queue {
  constructor(most = Infinity) {
    this._most = most
    this._items = []
    this._waiting = []
    this._over = null
  }

  push(item) {
    const waiting = this._waiting.shift()
    if (waiting) return waiting.resolve({ done: false, value: item })
    if (this._items.length >= this._most) this._items.shift()
    this._items.push(item)
  }

  /** No more come; with an error whoever waits is told of it. */
  end(error = null) {
    if (this._over) return
    this._over = { error }
    for (const { resolve, reject } of this._waiting.splice(0)) {
      if (error) reject(error)
      else resolve({ done: true, value: undefined })
    }
  }

  async next() {
    if (this._items.length > 0) return { done: false, value: this._items.shift() }
    if (this._over?.error) throw this._over.error
    if (this._over) return { done: true, value: undefined }
    return new Promise((resolve, reject) => this._waiting.push({ resolve, reject }))
  }
}

/** What happens to a cache's entries or to a counter, in order; none is dropped. */
class Listener {
  constructor(driver, listener, decode) {
    this._driver = driver
    this._listener = listener
    this._decode = decode
    this._queue = new Queue()
    this._ready = new Promise((resolve, reject) => {
      driver.listeners.set(listener, (output) => this._hear(output, resolve, reject))
    })
    driver.schedule()
  }

  _hear(output, resolve, reject) {
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
    const taken = await this._queue.next()
    if (taken.done) return taken
    const output = taken.value
    if (output.type === 'ListenerMoved') return { done: false, value: { type: 'moved', member: output.member } }
    this._driver.machine.eventsTaken(this._driver.now(), this._listener, 1)
    this._driver.schedule()
    return { done: false, value: this._event(output) }
  }

  _event(output) {
    if (output.type === 'Counter') {
      const { counter, oldValue, oldState, newValue, newState } = output
      return { type: 'counter', counter, oldValue, oldState, newValue, newState }
    }
    const { change, key, version, data, retried } = output
    return { type: change, key: key === null ? null : this._decode(key), version, data, retried }
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

/** What happens to members, topologies, sites and near caches. */
class Happenings {
  constructor(driver) {
    this._driver = driver
    this._queue = new Queue(MOST_HAPPENINGS)
    this._hear = (output) => (output === null ? this._queue.end() : this._queue.push(output))
    if (driver.machine.closed) this._queue.end()
    else driver.subscribers.add(this._hear)
  }

  [Symbol.asyncIterator]() {
    return this
  }

  next() {
    return this._queue.next()
  }

  async return() {
    this._driver.subscribers.delete(this._hear)
    this._queue.end()
    return { done: true, value: undefined }
  }

  close() {
    return this.return().then(() => undefined)
  }
}

// Node has had the symbol since 18.18.
const asyncDispose = Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')
for (const Closable of [Iteration, Listener, Happenings]) {
  Closable.prototype[asyncDispose] = Closable.prototype.close
}

module.exports = { Iteration, Listener, Happenings, asyncDispose }
