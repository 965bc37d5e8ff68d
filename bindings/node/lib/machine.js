'use strict'

const { randomBytes } = require('node:crypto')

const { bytes, count, factory, fields, flag, list, number, text, timeout, uri, wrong } = require('./checks.js')
const { COUNTERS } = require('./constants.js')
const { HotRodError, MisuseError, errorOf } = require('./errors.js')
const { load } = require('./native.js')
const { OPCODES } = require('./opcodes.js')
const shapes = require('./outputs.js')

const { NativeMachine } = load()
const MAX_TRANSMIT = 2 ** 32
const CACHE = ['flags', 'keyType', 'valueType', 'readFromAnyOwner', 'parameters']
const LISTENER = ['includeCurrentState', 'filter', 'converter', 'useRawData', 'interests']
const ITERATION = ['segments', 'filterConverter', 'batchSize', 'includeMetadata', 'timeout']
const NEAR_CACHE = ['maxEntries', 'maxBytes', 'bloomFilter']

const memberOf = (member) => (member === undefined || member === null ? undefined : number('member', member))

/** Returns the opcode of an operation by its name. */
function operationOf(name) {
  if (typeof name !== 'string') throw wrong('operation', 'a name', name)
  if (!Object.hasOwn(OPCODES, name)) throw new MisuseError('operation: there is none of this name')
  return OPCODES[name]
}

/** Returns a result of the native part, or throws it as an error if it is a failure. */
function unwrap(result) {
  if (typeof result === 'object' && result !== null && 'mayHaveBeenApplied' in result) throw errorOf(result)
  return result
}

/** Calls the native part. The type errors of Node-API show the value, so arguments are checked before. */
function checked(call) {
  try {
    return unwrap(call())
  } catch (error) {
    if (error instanceof HotRodError) throw error
    throw new MisuseError(/^Failed to (convert|get) /.test(error.message) ? 'an argument is of the wrong type' : error.message)
  }
}

/** Checks parameters of requests. */
function parametersOf(parameters) {
  for (const pair of list('parameters', parameters)) {
    const [name, value] = list('parameters', pair)
    text('parameters', name)
    bytes('parameters', value)
  }
  return parameters
}

/**
 * A client of a whole cluster without IO: bytes and time go in, bytes and outputs come out. Documented in index.d.ts.
 */
class Machine {
  #native

  constructor(server, options) {
    const { seed = randomBytes(32), now = 0 } = fields('options', options, ['seed', 'now'])
    const [address, random, time] = [uri(server), bytes('seed', seed), number('now', now)]
    this.#native = checked(() => NativeMachine.connect(address, random, time))
  }

  get defaultCache() {
    return this.#native.defaultCache
  }

  get defaultMediaTypes() {
    const [key, value] = this.#native.defaultMediaTypes
    return { key, value }
  }

  get closed() {
    return this.#native.closed
  }

  get site() {
    return this.#native.site
  }

  get tls() {
    return this.#native.tls ?? null
  }

  cache(now, name, options) {
    const { flags = 0, keyType = '', valueType = '', readFromAnyOwner = false, parameters = [] } = fields('options', options, CACHE)
    const native = {
      flags: count('flags', flags),
      keyType: text('keyType', keyType),
      valueType: text('valueType', valueType),
      readFromAnyOwner: flag('readFromAnyOwner', readFromAnyOwner),
      parameters: parametersOf(parameters),
    }
    number('now', now)
    text('name', name)
    return checked(() => this.#native.cache(now, name, native))
  }

  releaseCache(cache) {
    this.#native.releaseCache(count('cache', cache))
  }

  start(now, cache) {
    number('now', now)
    count('cache', cache)
    checked(() => this.#native.start(now, cache))
  }

  submit(now, cache, operation, args, options) {
    const { member, timeout: limit, storageKeys = [] } = fields('options', options, ['member', 'timeout', 'storageKeys'])
    const opcode = typeof operation === 'number' ? operation : operationOf(operation)
    const [only, span] = [memberOf(member), timeout('timeout', limit)]
    number('now', now)
    count('cache', cache)
    list('args', args)
    for (const key of list('storageKeys', storageKeys)) bytes('storageKeys', key)
    return checked(() => this.#native.submit(now, cache, opcode, args, only, span, storageKeys))
  }

  keys(operation, args) {
    const opcode = typeof operation === 'number' ? operation : operationOf(operation)
    list('args', args)
    return checked(() => NativeMachine.keys(opcode, args))
  }

  cancel(operation) {
    return this.#native.cancel(number('operation', operation))
  }

  listen(now, cache, options) {
    const { includeCurrentState = false, filter, converter, useRawData = false, interests = 0 } = fields('options', options, LISTENER)
    const native = {
      includeCurrentState: flag('includeCurrentState', includeCurrentState),
      filter: factory('filter', filter),
      converter: factory('converter', converter),
      useRawData: flag('useRawData', useRawData),
      interests: count('interests', interests),
    }
    number('now', now)
    count('cache', cache)
    return checked(() => this.#native.listen(now, cache, native))
  }

  listenToCounter(now, cache, counter) {
    number('now', now)
    count('cache', cache)
    text('counter', counter)
    return checked(() => this.#native.listenToCounter(now, cache, counter))
  }

  removeListener(now, listener) {
    return this.#native.removeListener(number('now', now), number('listener', listener))
  }

  eventsTaken(now, listener, taken) {
    this.#native.eventsTaken(number('now', now), number('listener', listener), count('count', taken))
  }

  iterate(now, cache, options) {
    const { segments, filterConverter, batchSize = 0, includeMetadata = false, timeout: limit } = fields('options', options, ITERATION)
    const native = {
      segments: segments === undefined || segments === null ? undefined : bytes('segments', segments),
      filterConverter: factory('filterConverter', filterConverter),
      batchSize: count('batchSize', batchSize),
      includeMetadata: flag('includeMetadata', includeMetadata),
      timeout: timeout('timeout', limit),
    }
    number('now', now)
    count('cache', cache)
    return checked(() => this.#native.iterate(now, cache, native))
  }

  nextEntries(now, iteration) {
    return this.#native.nextEntries(number('now', now), number('iteration', iteration))
  }

  endIteration(now, iteration) {
    this.#native.endIteration(number('now', now), number('iteration', iteration))
  }

  nearCache(now, cache, options) {
    const { maxEntries = 10_000, maxBytes = 64 << 20, bloomFilter = false } = fields('options', options, NEAR_CACHE)
    number('now', now)
    count('cache', cache)
    count('maxEntries', maxEntries)
    number('maxBytes', maxBytes)
    flag('bloomFilter', bloomFilter)
    checked(() => this.#native.nearCache(now, cache, maxEntries, maxBytes, bloomFilter))
  }

  removeNearCache(now, cache) {
    number('now', now)
    count('cache', cache)
    checked(() => this.#native.removeNearCache(now, cache))
  }

  nearCacheSize(cache) {
    count('cache', cache)
    const [entries, size] = checked(() => this.#native.nearCacheSize(cache))
    return { entries, bytes: size }
  }

  switchSite(now, name) {
    number('now', now)
    text('name', name)
    return checked(() => this.#native.switchSite(now, name))
  }

  setDiscovered(address, endpoint = null) {
    const { host, port, serverName } = endpoint === null ? {} : fields('endpoint', endpoint, ['host', 'port', 'serverName'])
    text('address', address)
    if (endpoint !== null) text('endpoint.host', host)
    if (port !== undefined) count('endpoint.port', port)
    if (serverName !== undefined) text('endpoint.serverName', serverName)
    checked(() => this.#native.setDiscovered(address, host, port, serverName))
  }

  setPeer(link, address) {
    this.#native.setPeer(number('link', link), text('address', address))
  }

  setTlsExporter(link, exported) {
    this.#native.setTlsExporter(number('link', link), bytes('exported', exported))
  }

  setServerCertificate(link, certificate) {
    this.#native.setServerCertificate(number('link', link), bytes('certificate', certificate))
  }

  connected(now, link, alpn = null) {
    const selected = alpn === null ? undefined : text('alpn', alpn)
    this.#native.connected(number('now', now), number('link', link), selected || undefined)
  }

  received(now, link, data) {
    number('now', now)
    number('link', link)
    try {
      this.#native.received(now, link, data)
    } catch (error) {
      if (error.code !== 'InvalidArg') throw error
      throw wrong('data', 'a Buffer or Uint8Array that was not transferred', data)
    }
  }

  linkLost(now, link, why) {
    this.#native.linkLost(number('now', now), number('link', link), text('why', why))
  }

  timeout(now) {
    this.#native.timeout(number('now', now))
  }

  transmit(link, limit = MAX_TRANSMIT) {
    return this.#native.transmit(number('link', link), number('limit', limit)) ?? null
  }

  wantsRead(link) {
    return this.#native.wantsRead(number('link', link))
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
    this.#native.close(number('now', now))
  }

  counters() {
    const values = this.#native.counters()
    const counters = Object.fromEntries(COUNTERS.map((name, index) => [name, values[index]]))
    const [latencyP50, latencyP99, latencyMax] = values.slice(COUNTERS.length).map((span) => (span < 0 ? null : span))
    return { ...counters, latencyP50, latencyP99, latencyMax }
  }

  coverage() {
    return this.#native.coverage()
  }

  members() {
    return this.#native.members()
  }

  view(cache) {
    count('cache', cache)
    return checked(() => this.#native.view(cache)) ?? null
  }
}

module.exports = { Machine }
