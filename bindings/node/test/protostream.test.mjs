// The codec of ProtoStream: Java's bytes of spec/vectors/protostream.json, JavaScript's own types, and messages.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as bufbuild from '@bufbuild/protobuf'
import { TimestampSchema } from '@bufbuild/protobuf/wkt'
import protobuf from 'protobufjs'

import * as libhotrod from '../lib/index.mjs'
import { embedded } from './servers.mjs'

const { DecodeError, Machine, MisuseError, ProtoStreamValue, bufbuildMessage, codecs, connect, protobufjsMessage } = libhotrod
const json = (path) => JSON.parse(readFileSync(new URL(`../../../spec/${path}`, import.meta.url), 'utf8'))
const vectors = json('vectors/protostream.json')
const kinds = json('vocabulary.json').protostream

const plain = codecs.protostream()
const hex = (codec, value) => Buffer.from(codec.encode(value)).toString('hex')
const again = (value, codec = plain) => codec.decode(codec.encode(value))
const value = (kind, content) => new ProtoStreamValue(kind, content)
const refused = (call, name, message) => assert.throws(call, (error) => error.name === name && message.test(error.message))

const WHOLE = new Set(['int32', 'int64', 'char', 'short', 'byte', 'date_millis'])
const double = (bits) => Buffer.from(bits.padStart(16, '0'), 'hex').readDoubleBE()
const float = (bits) => Buffer.from(bits.padStart(8, '0'), 'hex').readFloatBE()

/** The ProtoStreamValue of a vector's value. */
function explicit(written) {
  const [[kind, content]] = Object.entries(written)
  const typeOf = ({ type, type_id: id }) => type ?? id
  if (WHOLE.has(kind)) return value(kind, typeof content === 'string' ? BigInt(content) : content)
  switch (kind) {
    case 'double_bits':
      return value('double', double(content))
    case 'float_bits':
      return value('float', float(content))
    case 'bytes':
      return value(kind, Buffer.from(content, 'hex'))
    case 'instant':
      return value(kind, { seconds: BigInt(content.seconds), nanos: content.nanos })
    case 'message':
      return value(kind, { type: typeOf(content), bytes: Buffer.from(content.bytes, 'hex') })
    case 'enum':
      return value(kind, { type: typeOf(content), number: content.number })
    case 'container':
      return value(kind, { type: typeOf(content), elements: content.elements.map(explicit) })
    default:
      return value(kind, kind === 'null' ? null : content)
  }
}

/** The value that is read. */
function read({ kind, content }) {
  const date = (milliseconds) => (Math.abs(milliseconds) <= 8.64e15 ? new Date(milliseconds) : null)
  switch (kind) {
    case 'container':
      return content.elements.map(read)
    case 'instant':
      return (content.nanos % 1e6 === 0 && date(Number(content.seconds) * 1000 + content.nanos / 1e6)) || value(kind, content)
    case 'date_millis':
      return date(Number(content)) ?? value(kind, content)
    case 'enum':
    case 'message':
      return value(kind, content)
    default:
      return content
  }
}

test("Java's bytes, both ways", () => {
  for (const { java, value: written, bytes } of vectors) {
    const expected = explicit(written)
    assert.equal(hex(plain, expected), bytes, java)
    assert.deepEqual(plain.decode(Buffer.from(bytes, 'hex')), read(expected), java)
  }
})

test('every kind, at the ends of its range', () => {
  for (const { name, content, bits } of kinds) {
    const size = BigInt(bits ?? 1)
    const range = { signed: [-(2n ** (size - 1n)), 2n ** (size - 1n) - 1n], unsigned: [0n, 2n ** size - 1n] }[content]
    for (const [index, end] of (range ?? []).entries()) {
      const decoded = again(value(name, end))
      if (name === 'date_millis') assert.deepEqual(decoded, value(name, end))
      else assert.equal(decoded, bits === 64 ? end : Number(end), name)
      const beyond = value(name, index === 0 ? end - 1n : end + 1n)
      refused(() => plain.encode(beyond), 'RangeError', new RegExp(`out of the range of ${name}`))
    }
    if (range) {
      assert.equal(hex(plain, value(name, 7)), hex(plain, value(name, 7n)), name)
      for (const fraction of [0.5, NaN, Infinity]) refused(() => plain.encode(value(name, fraction)), 'RangeError', new RegExp(`${name} takes whole`))
      refused(() => plain.encode(value(name, 2 ** 53)), 'RangeError', new RegExp(`${name} takes a bigint for more than 53 bits`))
    }
    if (name === 'null') continue
    for (const wrong of [undefined, Symbol('s'), () => 1]) {
      assert.throws(() => plain.encode(value(name, wrong)), (error) => error instanceof TypeError || error instanceof MisuseError, name)
    }
  }
})

test("JavaScript's own types", () => {
  for (const one of ['', 'käse\0', '😀', true, false, 0, -0, 0.1, NaN, -Infinity, 0n, 2n ** 63n - 1n, -(2n ** 63n), new Date(-1), new Date(8.64e15),
    new Date(-8.64e15), [], [null, ['a', [1n]], new Date(0)]]) {
    assert.deepEqual(again(one), one)
  }
  assert.deepEqual(again(new Uint8Array([0, 255])), Buffer.from([0, 255]))
  assert.deepEqual(again(Buffer.alloc(0)), Buffer.alloc(0))
  assert.equal(hex(plain, 'k'), '4a016b')
  assert.equal(hex(plain, 1n), '1801')
  assert.equal(hex(plain, 1.5), '09000000000000f83f')
  assert.equal(hex(codecs.protostream({ number: 'int32' }), -1), '28ffffffffffffffffff01')
  assert.equal(hex(codecs.protostream({ number: 'float' }), 1.5), '150000c03f')
  assert.equal(hex(codecs.protostream({ number: 'int64' }), 1), hex(plain, 1n))
  assert.deepEqual(again([value('short', 7), [value('byte', -1)]]), [7, [-1]])
})

test('dates that JavaScript does not have', () => {
  const nanos = value('instant', { seconds: 1_800_000_000n, nanos: 999_999_999 })
  const far = value('instant', { seconds: 2n ** 62n, nanos: 0 })
  const late = value('date_millis', 8_640_000_000_000_001n)
  for (const one of [nanos, far, late]) assert.deepEqual(again(one), one)
  assert.deepEqual(again(value('date_millis', 5)), new Date(5))
  assert.deepEqual(again(value('instant', { seconds: -1, nanos: 999_000_000 })), new Date(-1))
  refused(() => plain.encode(new Date(NaN)), 'RangeError', /invalid Date/)
  refused(() => plain.encode(value('instant', { seconds: 0, nanos: 1e9 })), 'RangeError', /nanoseconds/)
})

test('what is refused', () => {
  refused(() => plain.encode(null), 'TypeError', /null can't be stored/)
  refused(() => plain.encode(value('null', null)), 'TypeError', /null can't be stored/)
  refused(() => plain.encode(undefined), 'TypeError', /undefined can't be stored/)
  refused(() => plain.encode([undefined]), 'TypeError', /undefined can't be stored/)
  refused(() => plain.encode([, 1]), 'TypeError', /undefined can't be stored/)
  refused(() => plain.encode(Symbol('s')), 'TypeError', /a symbol can't be stored/)
  refused(() => plain.encode({ id: 1 }), 'TypeError', /no message of the codec's `messages`/)
  refused(() => plain.encode('\ud800'), 'RangeError', /lone surrogate/)
  refused(() => plain.encode(value('string', 'a\udc00')), 'RangeError', /lone surrogate/)
  refused(() => plain.encode(2n ** 63n), 'RangeError', /out of the range of int64/)
  refused(() => codecs.protostream({ number: 'int32' }).encode(1.5), 'RangeError', /int32 takes whole numbers/)
  refused(() => plain.encode(value('float', 1e39)), 'RangeError', /out of the range of float/)
  refused(() => plain.encode(value('bool', 1)), 'TypeError', /no content of bool/)
  refused(() => plain.encode(value('int32', '1')), 'TypeError', /no content of int32/)
  refused(() => plain.encode(value('double', 1n)), 'TypeError', /no content of double/)
  refused(() => plain.encode(value('message', { type: '', bytes: Buffer.alloc(0) })), 'RangeError', /a type needs a name/)
  refused(() => plain.encode(value('message', { type: 2 ** 31, bytes: Buffer.alloc(0) })), 'RangeError', /a type needs a name/)
  refused(() => plain.encode(value('message', { type: -1, bytes: Buffer.alloc(0) })), 'RangeError', /a type needs a name/)
  refused(() => plain.encode(value('message', { type: 'A', bytes: 'b' })), 'TypeError', /no content of message/)
  refused(() => plain.encode(value('message', { type: 'A', data: 'b' })), 'MisuseError', /there is no "data" here/)
  refused(() => plain.encode(value('enum', { type: 'A', number: 2 ** 31 })), 'RangeError', /out of the range of enum/)
  const endless = []
  endless.push(endless)
  refused(() => plain.encode(endless), 'RangeError', /nested too deeply/)
  const nested = (depth) => (depth === 0 ? [] : [nested(depth - 1)])
  assert.deepEqual(again(nested(31)), nested(31))
  refused(() => plain.encode(nested(32)), 'RangeError', /nested too deeply/)
  const options = [{ number: 'string' }, { number: 'toString' }, { numbers: 'int32' }, { messages: {} }, { messages: [{}] }, { messages: [null] }, 'int32']
  for (const wrong of options) assert.throws(() => codecs.protostream(wrong), MisuseError)
  for (const kind of ['integer', 'toString', undefined, null]) assert.throws(() => new ProtoStreamValue(kind, 1), MisuseError)
})

test('hostile bytes', () => {
  for (const { bytes } of vectors) {
    const whole = Buffer.from(bytes, 'hex')
    for (let length = 0; length < whole.length; length += 1) {
      // A shorter number may be a whole value too; nothing else than a TypeError may come out.
      try {
        plain.decode(whole.subarray(0, length))
      } catch (error) {
        assert.ok(error instanceof TypeError, error.stack)
      }
    }
    refused(() => plain.decode(whole.subarray(0, -1)), 'TypeError', /at byte \d+/)
  }
  refused(() => plain.decode(Buffer.alloc(0)), 'TypeError', /null/)
  refused(() => plain.decode(Buffer.from('4a01ff', 'hex')), 'TypeError', /UTF-8/)
  refused(() => plain.decode(Buffer.from(`e20101${'61'}d801ffffffff07f20100`, 'hex')), 'TypeError', /too early/)
})

const { shop } = protobuf.parse(`syntax = "proto3"; package shop;
  message Item { int32 id = 1; string name = 2; }
  message Box { int32 size = 1; }`).root.nested
const { Item, Box } = shop
const ITEM = hex(plain, value('message', { type: 'shop.Item', bytes: Buffer.from('082a', 'hex') }))

test('messages of protobufjs', () => {
  const codec = codecs.protostream({ messages: [protobufjsMessage(Item), protobufjsMessage(Box, { typeId: 100_042 })] })
  const item = Item.create({ id: 42 })
  assert.equal(hex(codec, item), ITEM)
  assert.ok(codec.decode(Buffer.from(ITEM, 'hex')) instanceof Item.ctor)
  assert.equal(codec.decode(Buffer.from(ITEM, 'hex')).id, 42)
  // A type with a number is written by it, and read by both.
  const bytes = Buffer.from('0807', 'hex')
  assert.equal(hex(codec, Box.create({ size: 7 })), hex(plain, value('message', { type: 100_042, bytes })))
  for (const type of [100_042, 'shop.Box']) assert.equal(codec.decode(plain.encode(value('message', { type, bytes }))).size, 7)
  assert.deepEqual(again([item, 'a', [Box.create({ size: 1 })]], codec), [item, 'a', [Box.create({ size: 1 })]])
  refused(() => codec.encode({ id: 42 }), 'TypeError', /no message/)
  const unknown = plain.encode(value('message', { type: `shop.${'x'.repeat(1000)}`, bytes }))
  assert.throws(() => codec.decode(unknown), (error) => /is not registered; registered are shop.Item, shop.Box$/.test(error.message) && error.message.length < 400)
  // Without registered types a message keeps its bytes.
  const other = value('message', { type: 'shop.Item', bytes: Buffer.from('082a', 'hex') })
  assert.deepEqual(plain.decode(Buffer.from(ITEM, 'hex')), other)
  assert.equal(hex(codec, other), ITEM)
  assert.throws(() => codec.decode(plain.encode(value('message', { type: 'shop.Item', bytes: Buffer.from('08', 'hex') }))), RangeError)
  assert.throws(() => codecs.protostream({ messages: [protobufjsMessage(Item), protobufjsMessage(Item)] }), MisuseError)
  for (const wrong of [null, {}, class {}]) assert.throws(() => protobufjsMessage(wrong), MisuseError)
  assert.throws(() => protobufjsMessage(Item, { typeId: 2 ** 31 }), MisuseError)
  assert.throws(() => protobufjsMessage(Item, { id: 1 }), MisuseError)
})

test('a class that protobufjs generated', () => {
  class Generated {
    id = 0
    static getTypeUrl = (prefix = 'type.googleapis.com') => `${prefix}/shop.Item`
    static encode = (message) => Item.encode(message)
    static decode = (data) => Object.assign(new Generated(), Item.decode(data))
  }
  const codec = codecs.protostream({ messages: [protobufjsMessage(Generated)] })
  const item = codec.decode(Buffer.from(ITEM, 'hex'))
  assert.ok(item instanceof Generated && item.id === 42)
  assert.equal(hex(codec, item), ITEM)
})

test('messages of @bufbuild/protobuf', () => {
  const codec = codecs.protostream({ messages: [bufbuildMessage(TimestampSchema, bufbuild)] })
  const timestamp = bufbuild.create(TimestampSchema, { seconds: 5n })
  assert.equal(hex(codec, timestamp), hex(plain, value('message', { type: 'google.protobuf.Timestamp', bytes: Buffer.from('0805', 'hex') })))
  assert.deepEqual(again(timestamp, codec), timestamp)
  refused(() => codec.encode({ seconds: 5n }), 'TypeError', /no message/)
  for (const wrong of [null, {}, { typeName: 1 }]) assert.throws(() => bufbuildMessage(wrong, bufbuild), MisuseError)
  assert.throws(() => bufbuildMessage(TimestampSchema, {}), MisuseError)
})

async function client(t, uri, options) {
  const connected = await connect(uri, options)
  t.after(() => connected.close())
  return connected
}

test('in a cache', async (t) => {
  const c = await client(t, (await embedded(t)).uri('local'))
  const codec = codecs.protostream({ number: 'int32', messages: [protobufjsMessage(Item)] })
  const cache = c.cache('local', { codecs: { key: codec, value: codec } })
  const item = Item.create({ id: 42, name: 'chair' })
  await cache.put(7, item)
  assert.deepEqual(await cache.get(7), item)
  assert.equal(await cache.get(8), null)
  const error = await cache.put(1.5, item).catch((error) => error)
  assert.ok(error instanceof MisuseError && error.cause instanceof RangeError)
  assert.equal(error.message,
    "argument key: its codec can't encode this number: int32 takes whole numbers; keys are declared as application/x-protostream")
  await c.cache('local').put(codec.encode(9), 'horse')
  const undecoded = await cache.get(9).catch((error) => error)
  assert.ok(undecoded instanceof DecodeError && undecoded.cause instanceof TypeError)
  assert.match(undecoded.message, /the value of an entry of cache "local" .*: TypeError; values are declared as application\/x-protostream$/)
  assert.ok(!undecoded.message.includes('horse'))
})

test("a client's codecs", async (t) => {
  const node = await embedded(t)
  const c = await client(t, node.uri('items'), { codecs: { key: codecs.text, value: codecs.json() } })
  await c.cache().put('a', { n: 1 })
  assert.deepEqual(await c.cache('items', { timeout: 1000 }).get('a'), { n: 1 })
  assert.equal(await c.cache('items', { codecs: { value: codecs.text } }).get('a'), '{"n":1}')
  await assert.rejects(c.cache().withCodecs({ value: codecs.bytes }).get('a'), /ISPN000497.*stores keys as text\/plain and values as application\/json/)
  await c.multimap('dist').put('m', [1])
  assert.deepEqual(await c.multimap('dist').get('m'), [[1]])
  for (const wrong of [{ codecs: 3 }, { codecs: { keys: codecs.text } }, { codecs: { key: 'text' } }]) {
    await assert.rejects(connect(node.uri(), wrong), MisuseError)
  }
})

test("codecs of a URI's media types", async (t) => {
  const node = await embedded(t)
  const cache = async (query, options, name = 'local') => (await client(t, node.uri(name, query), options)).cache()
  const raw = await cache('')
  const java = await cache('?key_media_type=text/plain&value_media_type=application/x-protostream')
  await java.put('k', 5n)
  assert.equal(await java.get('k'), 5n)
  assert.deepEqual(await raw.get('k'), Buffer.from('1805', 'hex'))
  const web = await cache('?key_media_type=text/plain;charset=utf-8&value_media_type=application/json', {}, 'items')
  await web.put('j', { a: [1] })
  assert.deepEqual(await web.get('j'), { a: [1] })
  await assert.rejects(web.put('j', undefined), /can't encode this undefined: .*; values are declared as application\/json$/)
  await web.withCodecs({ value: { ...codecs.bytes, mediaType: 'application/json' } }).put('j', '{')
  await assert.rejects(web.get('j'), /: SyntaxError; values are declared as application\/json$/)
  // Bytes of any other media type, also of text in another charset.
  for (const other of ['application/octet-stream', 'text/plain;charset=iso-8859-1']) {
    const bytes = await cache(`?key_media_type=text/plain&value_media_type=${encodeURIComponent(other)}`)
    await bytes.put('b', Buffer.from([1, 255]))
    assert.deepEqual(await bytes.get('b'), Buffer.from([1, 255]))
  }
  const texts = await cache('?key_media_type=text/plain&value_media_type=application/json', { codecs: { value: codecs.text } })
  await texts.put('t', 'text')
  assert.equal(await texts.get('t'), 'text')
  const machine = new Machine(node.uri('local', '?key_media_type=text/plain'))
  assert.deepEqual(machine.defaultMediaTypes, { key: 'text/plain', value: '' })
})
