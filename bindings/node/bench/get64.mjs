#!/usr/bin/env node
// Measures GETs of 64-byte values on one client. Prints one line of JSON.

import { codecs, connect } from '../lib/index.mjs'
import { measure, parse } from './measure.mjs'

const options = parse()
const client = await connect(`hotrod://${options.host}:${options.port}/${options.cache}`)
const name = options['key-codec']
const key = { bytes: codecs.bytes, text: codecs.text, protostream: codecs.protostream() }[name]
const cache = client.cache(undefined, { codecs: { key } })
const texts = Array.from({ length: 1000 }, (_, number) => `key-${number}`)
const keys = name === 'bytes' ? texts.map((text) => Buffer.from(text)) : texts
await cache.putAll(keys.map((key) => [key, Buffer.alloc(Number(options['value-size']))]))
await measure(options, (turn) => cache.get(keys[turn % keys.length]))
await client.close()
