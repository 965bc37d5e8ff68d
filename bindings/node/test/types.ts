// What TypeScript sees: this file is compiled by the tests, and not run.

import * as bufbuild from '@bufbuild/protobuf'
import { DurationSchema, TimestampSchema } from '@bufbuild/protobuf/wkt'
import type { Duration, Timestamp } from '@bufbuild/protobuf/wkt'
import {
  Flags, HotRodError, Machine, ProtoStreamValue, ServerError, bufbuildMessage, codecs, connect, protobufjsMessage,
} from 'libhotrod'
import type {
  Cache, Codec, Conditional, Coverage, Data, Entry, MessageType, Multimap, ProtoStreamData, Versioned,
} from 'libhotrod'
import protobuf from 'protobufjs'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function is<T>(): <U>(value: U, same: Equal<T, U>) => void {
  return () => {}
}

export async function client(): Promise<void> {
  const client = await connect('hotrod://localhost')
  const cache = client.cache()
  is<Buffer | null>()(await cache.get('k'), true)
  is<Entry<Buffer> | null>()(await cache.put('k', new Uint8Array(1), { lifespan: 1000, maxIdle: Infinity }), true)
  is<boolean>()(await cache.putIfAbsent('k', 'v'), true)
  is<boolean>()(await cache.replaceIfUnmodified('k', 1n, 'v'), true)
  is<Conditional<Buffer>>()(await cache.putIfAbsentWithOutcome('k', 'v'), true)
  is<Versioned>()(await cache.replaceIfUnmodifiedWithOutcome('k', 1n, 'v'), true)
  is<Map<Buffer, Buffer>>()(await cache.getAll(['k']), true)
  const texts = client.cache('c', { flags: Flags.SKIP_INDEXING, codecs: { key: codecs.text, value: codecs.text } })
  is<string | null>()(await texts.get('k', { signal: AbortSignal.timeout(10) }), true)
  for await (const { key, value, metadata } of texts.iterate({ includeMetadata: true })) {
    is<string>()(key, true)
    is<string>()(value, true)
    is<bigint | undefined>()(metadata?.version, true)
  }
  for await (const event of await texts.listen({ interests: ['created'] })) {
    if (event.type !== 'moved') is<string | null>()(event.key, true)
  }
  is<bigint>()(await client.counter('c').addAndGet(1), true)
  is<Codec<{ age: number }>>()(codecs.json<{ age: number }>(), true)
  const people = client.cache('p', { codecs: { key: codecs.text, value: codecs.json<{ age: number }>() } })
  is<number | undefined>()((await people.get('k'))?.age, true)
  is<number | undefined>()((await people.getWithMetadata('k'))?.lifespan?.duration, true)
  is<bigint | undefined>()((await people.getWithVersion('k'))?.version, true)
  for await (const event of client.events()) {
    if (event.type === 'MemberUnavailable') is<number>()(event.retryAfter, true)
    // @ts-expect-error an output of the machine is no event of a client
    if (event.type === 'Transmit') break
  }
  is<Promise<unknown>>()(connect(new URL('hotrod://localhost')) as Promise<unknown>, true)
  is<string[]>()(await client.multimap('m', { codecs: { key: codecs.text, value: codecs.text } }).get('k'), true)
  is<number>()(client.counters().direct, true)
  is<Coverage>()(client.coverage(), true)
  is<string | null>()(client.coverage().reason, true)
  // @ts-expect-error a number is no key
  await cache.get(3)
  // @ts-expect-error there is no such operation
  await cache.execute('nothing')
  try {
    await client.close()
  } catch (error) {
    if (error instanceof ServerError) is<'HOTROD_ERR_SERVER'>()(error.code, true)
    if (error instanceof ServerError) is<number | null>()(error.status, true)
    if (error instanceof HotRodError) is<boolean>()(error.mayHaveBeenApplied, true)
  }
}

/** A class as protobufjs generates it. */
declare class Item {
  id: number
  static getTypeUrl(prefix?: string): string
  static encode(message: { id?: number | null }): protobuf.Writer
  static decode(data: Uint8Array | protobuf.Reader): Item
}

export async function protostream(): Promise<void> {
  is<Codec<ProtoStreamData>>()(codecs.protostream(), true)
  is<Codec<ProtoStreamData>>()(codecs.protostream({ number: 'int32' }), true)
  is<Codec<string | number>>()(codecs.protostream<string | number>({ messages: [] }), true)
  const [timestamp, duration] = [bufbuildMessage<Timestamp>(TimestampSchema, bufbuild), bufbuildMessage<Duration>(DurationSchema, bufbuild, { typeId: 7 })]
  is<MessageType<Timestamp>>()(timestamp, true)
  is<Codec<Timestamp | Duration>>()(codecs.protostream({ messages: [timestamp, duration] }), true)
  is<Codec<Item>>()(codecs.protostream({ number: 'int64', messages: [protobufjsMessage(Item)] }), true)
  protobufjsMessage(new protobuf.Type('Item'), { typeId: 7 })
  is<string>()(new ProtoStreamValue('string', 'a').content, true)
  is<string | number>()(new ProtoStreamValue('enum', { type: 'shop.Colour', number: 1 }).content.type, true)
  // @ts-expect-error a text is no number
  new ProtoStreamValue('short', '1')
  // @ts-expect-error there is no such kind
  new ProtoStreamValue('integer', 1)
  // @ts-expect-error a text is no kind of a number
  codecs.protostream({ number: 'string' })

  const client = await connect('hotrod://localhost', { codecs: { key: codecs.text, value: codecs.json<{ age: number }>() } })
  is<Cache<string, { age: number }>>()(client.cache('c'), true)
  is<Multimap<string, { age: number }>>()(client.multimap('m'), true)
  is<Cache<string, string>>()(client.cache('c', { codecs: { key: codecs.text, value: codecs.text } }), true)
  is<Cache<string, Date>>()((await connect<string, Date>('hotrod://localhost?key_media_type=text/plain')).cache(), true)
  is<Cache<Data, Data, Buffer, Buffer>>()((await connect('hotrod://localhost')).cache(), true)
}

export function machine(machine: Machine): void {
  for (const output of machine.poll()) {
    switch (output.type) {
      case 'Connect':
        is<string>()(output.host, true)
        break
      case 'Completed':
        is<HotRodError | null>()(output.error, true)
        break
      case 'Entry':
        is<'created' | 'modified' | 'removed' | 'expired'>()(output.change, true)
    }
  }
}
