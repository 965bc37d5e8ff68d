'use strict'

const { Cache } = require('./cache.js')
const { Client, Counter, Multimap, connect } = require('./client.js')
const { codecs } = require('./codecs.js')
const { ConnectionAttempts } = require('./dial.js')
const { Flags } = require('./constants.js')
const { errorOf, ...errors } = require('./errors.js')
const { Machine } = require('./machine.js')
const { ProtoStreamValue, bufbuildMessage, protobufjsMessage } = require('./protostream.js')
const { Schemas } = require('./schemas.js')
const { ClientEvents, Iteration, Listener } = require('./streams.js')

module.exports = {
  Cache, Client, ClientEvents, ConnectionAttempts, Counter, Flags, Iteration, Listener, Machine, Multimap, ProtoStreamValue, Schemas,
  bufbuildMessage, codecs, connect, protobufjsMessage, ...errors,
}
