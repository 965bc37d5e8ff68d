'use strict'

const { Base } = require('./base.js')
const { Cache } = require('./cache.js')
const { CALL, codec, fields, text } = require('./checks.js')
const { codecs, ofMediaType } = require('./codecs.js')
const { Driver } = require('./driver.js')
const { MisuseError } = require('./errors.js')
const { Machine } = require('./machine.js')
const { CounterOperations, MultimapOperations } = require('./operations.js')
const { OPCODES } = require('./opcodes.js')
const { CACHE: SCHEMAS, Schemas } = require('./schemas.js')
const { ClientEvents, Listener, asyncDispose } = require('./streams.js')

const CACHE = ['codecs', 'flags', 'readFromAnyOwner', 'timeout', 'traceparent']
const COUNTER = ['initialValue', 'persistent']

/** A client of one cluster. Documented in index.d.ts. */
class Client {
  constructor(driver) {
    if (!(driver instanceof Driver)) throw new MisuseError('a client is made by connect()')
    this._driver = driver
  }

  cache(name = this._driver.machine.defaultCache, options) {
    return new Cache(this._driver, { ...fields('options', options, CACHE), name })
  }

  counter(name, options) {
    return new Counter(this._driver, { ...fields('options', options, ['timeout']), name: '' }, text('name', name))
  }

  multimap(name, options) {
    const { supportsDuplicates = false, ...settings } = fields('options', options, ['codecs', 'supportsDuplicates', 'timeout'])
    return new Multimap(this._driver, { ...settings, name }, supportsDuplicates)
  }

  get schemas() {
    return new Schemas(this.cache(SCHEMAS, { codecs: { key: codecs.text, value: codecs.text } }))
  }

  async counterNames(options) {
    return new Base(this._driver, { name: '' })._execute(OPCODES.counter_get_names, [], options)
  }

  members() {
    return this._driver.machine.members()
  }

  view(cache) {
    if (!(cache instanceof Cache)) throw new MisuseError('cache: expected a Cache')
    return this._driver.machine.view(cache._cache)
  }

  counters() {
    return this._driver.machine.counters()
  }

  coverage() {
    return this._driver.machine.coverage()
  }

  events() {
    return new ClientEvents(this._driver)
  }

  switchSite(name) {
    const switched = this._driver.machine.switchSite(this._driver.now(), name)
    this._driver.schedule()
    return switched
  }

  async close() {
    this._driver.machine.close(this._driver.now())
    this._driver.pump()
    await this._driver.ended
  }
}

Client.prototype[asyncDispose] = Client.prototype.close

/** A counter of the cluster. */
class Counter extends CounterOperations {
  constructor(driver, settings, name) {
    super(driver, settings)
    this.name = name
  }

  async listen() {
    const driver = this._driver
    const listener = driver.machine.listenToCounter(driver.now(), this._cache, this.name)
    return new Listener(driver, listener, (key) => key)._ready
  }

  async createStrong(options) {
    const { initialValue = 0n, persistent = false, ...call } = fields('options', options, [...CALL, ...COUNTER])
    return this.create({ kind: 'unbounded_strong', initialValue, persistent }, call)
  }

  async createBounded(lower, upper, options) {
    const { initialValue = 0n, persistent = false, ...call } = fields('options', options, [...CALL, ...COUNTER])
    return this.create({ kind: 'bounded_strong', lower, upper, initialValue, persistent }, call)
  }

  async createWeak(options) {
    const allowed = [...CALL, ...COUNTER, 'concurrency']
    const { initialValue = 0n, concurrency = 16, persistent = false, ...call } = fields('options', options, allowed)
    return this.create({ kind: 'weak', concurrency, initialValue, persistent }, call)
  }
}

/** A multimap of the cluster. */
class Multimap extends MultimapOperations {
  constructor(driver, settings, supportsDuplicates) {
    super(driver, settings)
    this.supportsDuplicates = supportsDuplicates
  }
}

/** Returns the codecs of a client's caches: the given ones, or those of the media types in its URI. */
function codecsOf(machine, given) {
  const defaults = machine.defaultMediaTypes
  const { key, value } = fields('codecs', given ?? undefined, ['key', 'value'])
  return {
    key: codec('codecs.key', key, ofMediaType(defaults.key)),
    value: codec('codecs.value', value, ofMediaType(defaults.value)),
  }
}

/** Connects to the cluster of a URI. */
async function connect(uri, options = {}, ...others) {
  if (others.length > 0 || Object.keys(Object(options)).some((name) => name !== 'codecs')) {
    throw new MisuseError('connect: takes a URI and { codecs }; settings, user and password are properties of the URI')
  }
  const { codecs } = fields('options', options, ['codecs'])
  const machine = new Machine(uri)
  const driver = new Driver(machine, codecsOf(machine, codecs))
  const client = new Client(driver)
  try {
    driver.machine.start(driver.now(), client.cache()._cache)
    driver.pump()
    await driver.started
  } catch (error) {
    await client.close()
    throw error
  }
  return client
}

module.exports = { Client, Counter, Multimap, connect }
