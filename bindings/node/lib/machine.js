'use strict'

const { randomBytes } = require('node:crypto')

const { COUNTERS } = require('./constants.js')
const { HotRodError, MisuseError, errorOf } = require('./errors.js')
const { load } = require('./native.js')
const { OPCODES } = require('./opcodes.js')
const shapes = require('./outputs.js')

const { NativeMachine } = load()
const MAX_TRANSMIT = 2 ** 32

/** Returns a result of the native part, or throws it as an error if it is a failure. */
function unwrap(result) {
  if (typeof result === 'object' && result !== null && 'mayHaveBeenApplied' in result) throw errorOf(result)
  return result
}

/** Calls the native part and turns its type errors into MisuseError. */
function checked(call) {
  try {
    return unwrap(call())
  } catch (error) {
    if (error instanceof HotRodError) throw error
    throw new MisuseError(error.message)
  }
}

const factory = (factory) => (factory ? { name: factory.name, parameters: factory.parameters ?? [] } : undefined)

/**
 * A client of a whole cluster without IO: bytes and time go in, bytes and outputs come out. Documented in index.d.ts.
 */
class Machine {
  #native

  constructor(uri, { seed = randomBytes(32), now = 0 } = {}) {
    this.#native = checked(() => NativeMachine.connect(uri, seed, now))
  }

  get defaultCache() {
    return this.#native.defaultCache
  }

  get closed() {
    return this.#native.closed
  }

  get site() {
    return this.#native.site
  }

  cache(now, name, options = {}) {
    const { flags = 0, keyType = '', valueType = '', readFromAnyOwner = false, parameters = [] } = options
    return checked(() => this.#native.cache(now, name, { flags, keyType, valueType, readFromAnyOwner, parameters }))
  }

  releaseCache(cache) {
    this.#native.releaseCache(cache)
  }

  start(now, cache) {
    checked(() => this.#native.start(now, cache))
  }

  submit(now, cache, operation, args, { member, timeout } = {}) {
    const opcode = typeof operation === 'number' ? operation : OPCODES[operation]
    if (opcode === undefined) throw new MisuseError(`there is no operation ${JSON.stringify(operation)}`)
    return checked(() => this.#native.submit(now, cache, opcode, args, member ?? undefined, timeout ?? undefined))
  }

  cancel(operation) {
    return this.#native.cancel(operation)
  }

  listen(now, cache, options = {}) {
    const { includeCurrentState = false, filter, converter, useRawData = false, interests = 0 } = options
    const native = { includeCurrentState, filter: factory(filter), converter: factory(converter), useRawData, interests }
    return checked(() => this.#native.listen(now, cache, native))
  }

  listenToCounter(now, cache, counter) {
    return checked(() => this.#native.listenToCounter(now, cache, counter))
  }

  removeListener(now, listener) {
    return this.#native.removeListener(now, listener)
  }

  eventsTaken(now, listener, count) {
    this.#native.eventsTaken(now, listener, count)
  }

  iterate(now, cache, options = {}) {
    const { segments, filterConverter, batchSize = 0, includeMetadata = false, timeout } = options
    const native = {
      segments: segments ?? undefined,
      filterConverter: factory(filterConverter),
      batchSize,
      includeMetadata,
      timeout: timeout ?? undefined,
    }
    return checked(() => this.#native.iterate(now, cache, native))
  }

  nextEntries(now, iteration) {
    return this.#native.nextEntries(now, iteration)
  }

  endIteration(now, iteration) {
    this.#native.endIteration(now, iteration)
  }

  nearCache(now, cache, { maxEntries = 10_000, maxBytes = 64 << 20, bloomFilter = false } = {}) {
    checked(() => this.#native.nearCache(now, cache, maxEntries, maxBytes, bloomFilter))
  }

  removeNearCache(now, cache) {
    checked(() => this.#native.removeNearCache(now, cache))
  }

  nearCacheSize(cache) {
    const [entries, bytes] = checked(() => this.#native.nearCacheSize(cache))
    return { entries, bytes }
  }

  switchSite(now, name) {
    return checked(() => this.#native.switchSite(now, name))
  }

  setDiscovered(address, endpoint = null) {
    const { host, port, serverName } = endpoint ?? {}
    checked(() => this.#native.setDiscovered(address, host, port, serverName))
  }

  setPeer(link, address) {
    this.#native.setPeer(link, address)
  }

  setTlsExporter(link, exported) {
    this.#native.setTlsExporter(link, exported)
  }

  setServerCertificate(link, certificate) {
    this.#native.setServerCertificate(link, certificate)
  }

  connected(now, link, alpn = null) {
    this.#native.connected(now, link, alpn || undefined)
  }

  received(now, link, data) {
    try {
      this.#native.received(now, link, data)
    } catch (error) {
      throw new MisuseError(`data: expected a Buffer or Uint8Array (${error.message})`)
    }
  }

  linkLost(now, link, why) {
    this.#native.linkLost(now, link, why)
  }

  timeout(now) {
    this.#native.timeout(now)
  }

  transmit(link, limit = MAX_TRANSMIT) {
    return this.#native.transmit(link, limit) ?? null
  }

  wantsRead(link) {
    return this.#native.wantsRead(link)
  }

  poll() {
    const values = this.#native.poll()
    const outputs = []
    for (let at = 0; at < values.length; ) {
      const shape = shapes[values[at]]
      outputs.push(shape.make(values, at))
      at += shape.length
    }
    return outputs
  }

  pollTimeout() {
    return this.#native.pollTimeout() ?? null
  }

  close(now) {
    this.#native.close(now)
  }

  counters() {
    const values = this.#native.counters()
    const counters = Object.fromEntries(COUNTERS.map((name, index) => [name, values[index]]))
    const [latencyP50, latencyP99, latencyMax] = values.slice(COUNTERS.length).map((span) => (span < 0 ? null : span / 1000))
    return { ...counters, latencyP50, latencyP99, latencyMax }
  }

  coverage() {
    return this.#native.coverage()
  }

  members() {
    return this.#native.members()
  }

  view(cache) {
    return checked(() => this.#native.view(cache)) ?? null
  }
}

module.exports = { Machine }
