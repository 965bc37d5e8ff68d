// What TypeScript sees: this file is compiled by the tests, and not run.

import { Flags, HotRodError, Machine, ServerError, codecs, connect } from 'libhotrod'
import type { Codec, Conditional, Coverage, Entry, Versioned } from 'libhotrod'

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
