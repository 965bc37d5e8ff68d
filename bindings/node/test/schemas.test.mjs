// Schemas of Protocol Buffers on a real server.

import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { MisuseError, ProtoStreamValue, SchemaError, codecs, connect } from '../lib/index.mjs'
import { real } from './servers.mjs'

const skip = process.env.SKIP_REAL ? 'SKIP_REAL is set: nothing is tried on a real server' : false
const LINE = 'syntax = "proto3"; package shop; message Line { string item = 1; }'
const ROW = LINE.replace('Line', 'Row')
const ORDER = 'syntax = "proto3"; import "line.proto"; package shop; message Order { repeated Line lines = 1; }'
const BROKEN = 'syntax = "proto3";\npackage shop;\nmessage Broken { strin item = 1; }'
const ITEMS = '<distributed-cache name="items"><encoding media-type="application/x-protostream"/></distributed-cache>'

test('schemas of Protocol Buffers', { skip }, async (t) => {
  const server = await real(t, '--caches', ITEMS)
  const client = await connect(`hotrod://${server.addresses[0]}/items`)
  t.after(() => client.close())
  const { schemas } = client

  await t.test('are registered in any order', async () => {
    await schemas.register({ 'order.proto': ORDER, 'line.proto': LINE })
    assert.deepEqual([await schemas.names(), await schemas.errors()], [['line.proto', 'order.proto'], {}])
    assert.equal(await schemas.get('line.proto'), LINE)
    await assert.rejects(schemas.register({ 'line.proto': ROW }), { name: 'SchemaError', message: /order\.proto: .*Type not found : Line/ })
    await schemas.register({ 'line.proto': LINE })
    assert.deepEqual([await schemas.remove('order.proto'), await schemas.remove('order.proto')], [true, false])
  })

  await t.test('have the names of their files', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'schemas-'))
    try {
      await mkdir(join(folder, 'shop'))
      const file = join(folder, 'shop', 'row.proto')
      await writeFile(file, ROW)
      await schemas.registerFiles([file], { root: folder })
      assert.equal(await schemas.get('shop/row.proto'), ROW)
      await schemas.remove('shop/row.proto')
      await schemas.registerFiles([file])
      assert.equal(await schemas.get('row.proto'), ROW)
      await assert.rejects(schemas.registerFiles([file], { root: join(folder, 'other') }), MisuseError)
      await assert.rejects(schemas.registerFiles([file, file]), /two files are named "row.proto"/)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  await t.test('with errors are thrown', async () => {
    const error = await schemas.register({ 'broken.proto': BROKEN }).then(() => null, (reason) => reason)
    assert.ok(error instanceof SchemaError && error.code === 'HOTROD_ERR_SCHEMA' && error.mayHaveBeenApplied, String(error))
    assert.deepEqual(Object.keys(error.errors), ['broken.proto'])
    await assert.rejects(schemas.register({ broken: BROKEN }), MisuseError)
    await schemas.remove('broken.proto')
    assert.deepEqual(await schemas.errors(), {})
  })

  await t.test('are needed to route JSON keys: a codec gives their stored form', async () => {
    const value = codecs.protostream()
    const typed = {
      mediaType: 'application/json',
      encode: (item) => Buffer.from(JSON.stringify({ _type: 'shop.Line', item })),
      decode: (data) => JSON.parse(data).item,
      storageKey(encoded) {
        const item = Buffer.from(this.decode(encoded))
        const bytes = Buffer.concat([Buffer.from([10, item.length]), item])
        return codecs.protostream().encode(new ProtoStreamValue('message', { type: 'shop.Line', bytes }))
      },
    }
    const before = client.counters().unrouted
    const byJson = client.cache('items', { codecs: { key: typed, value } })
    await byJson.put('a', 'one')
    await byJson.putAll([['b', 'two'], ['c', 'three']])
    assert.equal((await byJson.getAll(['a', 'b', 'c'])).size, 3)
    assert.equal(client.counters().unrouted, before)
    const { storageKey: _, ...underived } = typed
    await client.cache('items', { codecs: { key: underived, value } }).get('a')
    assert.equal(client.counters().unrouted, before + 1)
    const failing = { ...typed, storageKey: () => { throw new Error('no such key') } }
    const wrong = client.cache('items', { codecs: { key: failing, value } }).get('a')
    await assert.rejects(wrong, /storageKey of the codec of keys failed: no such key; keys are declared as application\/json/)
  })

  await t.test('give JSON values of a ProtoStream cache their type', async () => {
    const json = client.cache('items', { codecs: { key: codecs.text, value: codecs.json() } })
    await json.put('k', { _type: 'shop.Line', item: 'a' })
    assert.deepEqual(await json.get('k'), { _type: 'shop.Line', item: 'a' })
    const stored = await client.cache('items', { codecs: { key: codecs.text, value: codecs.protostream() } }).get('k')
    assert.deepEqual([stored.kind, stored.content.type], ['message', 'shop.Line'])
    await assert.rejects(json.put('k', 'no object'), /JSON in a ProtoStream cache is an object whose "_type" names/)
  })
})
