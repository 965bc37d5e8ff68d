'use strict'

// Values of Infinispan's ProtoStream: JavaScript's own types, messages of a Protocol Buffers library, and values of an explicit kind.

const { isDate } = require('node:util').types

const { bytes, count, fields, list, text, wrong } = require('./checks.js')
const { KINDS } = require('./constants.js')
const { MisuseError } = require('./errors.js')
const { load } = require('./native.js')

const { decodeProtostream, encodeProtostream } = load()

const MEDIA_TYPE = 'application/x-protostream'
// Java's classes of containers; `new ProtoStreamValue('container', …)` names others.
const COMMONS = 'org.infinispan.protostream.commons.'
const ARRAY_LIST = `${COMMONS}ArrayList`
// Most containers within each other, as in core; a list may contain itself.
const DEPTH = 32
// Milliseconds since 1970 that a Date can have.
const MAX_DATE = 8.64e15
const MAX_TYPE_ID = 2 ** 31 - 1
// Of a type in an error, in characters: it came from the network.
const LONGEST_NAME = 200
const EMPTY = Buffer.alloc(0)
// Kinds whose content is a number.
const NUMBERS = Object.keys(KINDS).filter((kind) => ['float', 'signed', 'unsigned'].includes(KINDS[kind]))

/** A value of an explicit kind. Documented in index.d.ts. */
class ProtoStreamValue {
  constructor(kind, content) {
    if (!(typeof kind === 'string' && Object.hasOwn(KINDS, kind))) throw new MisuseError(`kind: expected one of ${Object.keys(KINDS).join(', ')}`)
    this.kind = kind
    this.content = content
    Object.freeze(this)
  }
}

/** Converts between values and the arrays of the native part. */
class Converter {
  constructor(number, messages) {
    this.number = number
    this.messages = messages
    this.byType = new Map()
    for (const message of messages) {
      for (const type of [message.typeName, message.typeId]) {
        if (type === undefined) continue
        if (this.byType.has(type)) throw new MisuseError(`messages: two have the type ${JSON.stringify(type)}`)
        this.byType.set(type, message)
      }
    }
  }

  /** Returns the parts of a value that is in `depth` lists. */
  parts(value, depth) {
    switch (typeof value) {
      case 'string':
        return ['string', wellFormed(value)]
      case 'boolean':
        return ['bool', value]
      case 'bigint':
        return ['int64', value]
      case 'number':
        return [this.number, value]
      case 'object':
        return this.partsOfObject(value, depth)
      case 'undefined':
        throw new TypeError("undefined can't be stored")
      default:
        throw new TypeError(`a ${typeof value} can't be stored`)
    }
  }

  partsOfObject(value, depth) {
    if (value === null) return ['null']
    if (value instanceof ProtoStreamValue) return this.partsOfValue(value, depth)
    if (ArrayBuffer.isView(value)) return ['bytes', value]
    if (isDate(value)) return partsOfDate(value)
    if (Array.isArray(value)) return ['container', ARRAY_LIST, EMPTY, this.elements(value, depth)]
    const message = this.messages.find((type) => type.is(value))
    if (message === undefined) throw new TypeError("it is no message of the codec's `messages`")
    return ['message', message.typeId ?? message.typeName, message.encode(value)]
  }

  partsOfValue({ kind, content }, depth) {
    switch (KINDS[kind]) {
      case 'nothing':
        return [kind]
      case 'text':
        return [kind, typeof content === 'string' ? wellFormed(content) : content]
      case 'instant':
        return [kind, ...named(content, ['seconds', 'nanos'])]
      case 'enum':
        return [kind, ...named(content, ['type', 'number'])]
      case 'message':
        return [kind, ...named(content, ['type', 'bytes'])]
      case 'container': {
        const [type, elements, own] = named(content, ['type', 'elements', 'bytes'])
        return [kind, type, own ?? EMPTY, this.elements(list('elements', elements), depth)]
      }
      default:
        return [kind, content]
    }
  }

  /** Returns the object of a message; of a type that is not registered only if none is. */
  message(type, data) {
    const registered = this.byType.get(type)
    if (registered !== undefined) return registered.decode(data)
    if (this.messages.length === 0) return new ProtoStreamValue('message', { type, bytes: data })
    const names = this.messages.map(({ typeName }) => typeName).join(', ')
    const name = typeof type === 'string' ? type.slice(0, LONGEST_NAME) : type
    throw new TypeError(`a message of the type ${JSON.stringify(name)}, which is not registered; registered are ${names}`)
  }

  elements(values, depth) {
    if (depth === DEPTH) throw new RangeError('containers are nested too deeply')
    return Array.from(values, (element) => this.parts(element, depth + 1))
  }

  /** Returns the value of parts. */
  value([kind, first, second, third]) {
    switch (KINDS[kind]) {
      case 'nothing':
        return null
      case 'instant':
        return dateOfInstant(first, second) ?? new ProtoStreamValue(kind, { seconds: first, nanos: second })
      case 'enum':
        return new ProtoStreamValue(kind, { type: first, number: second })
      case 'message':
        return this.message(first, second)
      case 'container': {
        const elements = third.map((element) => this.value(element))
        const isPlain = typeof first === 'string' && first.startsWith(COMMONS) && second.length === 0
        return isPlain ? elements : new ProtoStreamValue(kind, { type: first, elements, bytes: second })
      }
      default:
        return kind === 'date_millis' ? (dateOf(Number(first)) ?? new ProtoStreamValue(kind, first)) : first
    }
  }
}

/** Returns the Date of milliseconds since 1970; null if there is none. */
function dateOf(milliseconds) {
  return Math.abs(milliseconds) <= MAX_DATE ? new Date(milliseconds) : null
}

/** Returns the Date of an instant; null if there is none, or a part of a millisecond would be lost. */
function dateOfInstant(seconds, nanos) {
  return nanos % 1e6 === 0 ? dateOf(Number(seconds) * 1000 + nanos / 1e6) : null
}

function partsOfDate(date) {
  const milliseconds = date.getTime()
  if (Number.isNaN(milliseconds)) throw new RangeError('it is an invalid Date')
  const seconds = Math.floor(milliseconds / 1000)
  return ['instant', seconds, (milliseconds - seconds * 1000) * 1e6]
}

/** Returns the fields of a content in this order. */
function named(content, names) {
  const given = fields('content', content, names)
  return names.map((name) => given[name])
}

/** Checks that UTF-8 can write a text: two different keys must not become one. */
function wellFormed(value) {
  if (/\p{Surrogate}/u.test(value)) throw new RangeError('a text has a lone surrogate')
  return value
}

/** Calls the native part, which says by its code of an error whether the type of a content is wrong, or its range. */
function native(call, argument) {
  try {
    return call(argument)
  } catch (error) {
    throw new (error.code === 'InvalidArg' ? TypeError : RangeError)(error.message)
  }
}

/** Checks an entry of `messages`. */
function messageType(value) {
  if (typeof value !== 'object' || value === null) throw wrong('messages', 'message types: { typeName, encode, decode, is }', value)
  if (text('typeName', value.typeName) === '') throw new MisuseError('typeName: expected the full name of a message')
  typeIdOf(value)
  for (const method of ['encode', 'decode', 'is']) {
    if (typeof value[method] !== 'function') throw wrong(`messages: ${method}`, 'a function', value[method])
  }
  return value
}

function typeIdOf({ typeId }) {
  if (typeId !== undefined && count('typeId', typeId) > MAX_TYPE_ID) throw new MisuseError(`typeId: expected at most ${MAX_TYPE_ID}`)
  return typeId
}

/** Values of ProtoStream, as application/x-protostream. Documented in index.d.ts. */
function protostream(options) {
  const { number = 'double', messages = [] } = fields('options', options, ['number', 'messages'])
  if (!NUMBERS.includes(number)) throw new MisuseError(`number: expected one of ${NUMBERS.join(', ')}`)
  const converter = new Converter(number, list('messages', messages).map(messageType))
  return {
    mediaType: MEDIA_TYPE,
    encode: (value) => native(encodeProtostream, converter.parts(value, 0)),
    decode: (data) => converter.value(native(decodeProtostream, bytes('data', data))),
  }
}

/** Message type of a class or Type of protobufjs. Documented in index.d.ts. */
function protobufjsMessage(type, options) {
  for (const method of ['encode', 'decode']) {
    if (typeof type?.[method] !== 'function') throw wrong(`type.${method}`, 'a function of a type of protobufjs', type?.[method])
  }
  // A Type has its full name and makes its class; a generated class has a type URL.
  const typeName = (type.fullName ?? type.getTypeUrl?.(''))?.replace(/^[./]+/, '')
  if (!typeName) throw new MisuseError('type: expected a Type of protobufjs, or a class that it generated with type URLs')
  return {
    typeName,
    typeId: typeIdOf(fields('options', options, ['typeId'])),
    encode: (message) => type.encode(message).finish(),
    decode: (data) => type.decode(data),
    is: (value) => value instanceof (type.ctor ?? type),
  }
}

/** Message type of a schema of @bufbuild/protobuf. Documented in index.d.ts. */
function bufbuildMessage(schema, library, options) {
  text('schema.typeName', schema?.typeName)
  for (const name of ['fromBinary', 'isMessage', 'toBinary']) {
    if (typeof library?.[name] !== 'function') throw wrong(`library.${name}`, 'a function of @bufbuild/protobuf', library?.[name])
  }
  const { fromBinary, isMessage, toBinary } = library
  return {
    typeName: schema.typeName,
    typeId: typeIdOf(fields('options', options, ['typeId'])),
    encode: (message) => toBinary(schema, message),
    decode: (data) => fromBinary(schema, data),
    is: (value) => isMessage(value, schema),
  }
}

module.exports = { ProtoStreamValue, bufbuildMessage, protobufjsMessage, protostream }
