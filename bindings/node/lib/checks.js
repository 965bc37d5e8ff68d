'use strict'

// Checks of arguments. A message has the argument's name and the type of its value, never the value: it may be a secret.

const { MisuseError } = require('./errors.js')

const TYPES = {
  undefined: 'undefined', string: 'a string', number: 'a number', bigint: 'a bigint', boolean: 'a boolean',
  symbol: 'a symbol', function: 'a function', object: 'an object',
}

const typeOf = (value) => (value === null ? 'null' : Array.isArray(value) ? 'an array' : TYPES[typeof value])
const wrong = (name, wanted, value) => new MisuseError(`${name}: expected ${wanted}, got ${typeOf(value)}`)

function text(name, value) {
  if (typeof value !== 'string') throw wrong(name, 'a string', value)
  return value
}

function flag(name, value) {
  if (typeof value !== 'boolean') throw wrong(name, 'a boolean', value)
  return value
}

function number(name, value) {
  if (typeof value !== 'number') throw wrong(name, 'a number', value)
  return value
}

/** Checks a whole number of 32 bits. */
function count(name, value) {
  if (!(Number.isInteger(value) && value >= 0 && value < 2 ** 32)) {
    throw typeof value === 'number'
      ? new MisuseError(`${name}: expected a whole number from 0 to ${2 ** 32 - 1}, got ${value}`)
      : wrong(name, 'a whole number', value)
  }
  return value
}

function bytes(name, value) {
  if (!ArrayBuffer.isView(value)) throw wrong(name, 'a Buffer or Uint8Array', value)
  return value
}

function list(name, value) {
  if (!Array.isArray(value)) throw wrong(name, 'an array', value)
  return value
}

/** Checks a duration in milliseconds; undefined for none. */
function timeout(name, value) {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number') throw wrong(name, 'milliseconds above 0', value)
  if (!(value > 0 && value < 1e12)) throw new MisuseError(`${name}: expected milliseconds above 0 and below 1e12, got ${value}`)
  return value
}

/** Checks that an object has no other fields than these; returns an empty object for undefined. */
function fields(name, value, allowed) {
  if (value === undefined) return {}
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(name, 'an object', value)
  for (const field of Object.keys(value)) {
    if (!allowed.includes(field)) {
      throw new MisuseError(`${name}: there is no ${JSON.stringify(field)} here; there are ${allowed.join(', ')}`)
    }
  }
  return value
}

/** Checks the URI of a cluster: a string, or a URL object. */
function uri(value) {
  if (value instanceof URL) return value.href
  if (typeof value !== 'string') throw wrong('uri', 'a string or a URL, such as hotrod://user:password@host:11222', value)
  return value
}

/** Checks a codec; null or undefined stands for `other`. */
function codec(name, value, other) {
  if (value === undefined || value === null) return other
  if (typeof value === 'function') throw new MisuseError(`${name}: expected a codec, got a function; call it: codecs.json()`)
  if (typeof value !== 'object') throw wrong(name, 'a codec: { mediaType, encode, decode }', value)
  text(`${name}.mediaType`, value.mediaType)
  for (const method of ['encode', 'decode']) {
    if (typeof value[method] !== 'function') throw wrong(`${name}.${method}`, 'a function', value[method])
  }
  if (!['function', 'undefined'].includes(typeof value.storageKey)) throw wrong(`${name}.storageKey`, 'a function', value.storageKey)
  return value
}

/** Checks a factory of the server; undefined for none. */
function factory(name, value) {
  if (value === undefined || value === null) return undefined
  const { name: registered, parameters = [] } = fields(name, value, ['name', 'parameters'])
  text(`${name}.name`, registered)
  for (const parameter of list(`${name}.parameters`, parameters)) bytes(`${name}.parameters`, parameter)
  return { name: registered, parameters }
}

/** Options of every operation. */
const CALL = ['timeout', 'signal', 'member']
/** Options of an operation that writes entries. */
const WRITE = [...CALL, 'lifespan', 'maxIdle']

module.exports = { CALL, WRITE, bytes, codec, count, factory, fields, flag, list, number, text, timeout, uri, wrong }
