import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.Month;
import java.util.Date;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;

import org.infinispan.client.hotrod.impl.consistenthash.SegmentConsistentHash;
import org.infinispan.commons.marshall.ProtoStreamMarshaller;
import org.infinispan.commons.util.Version;
import org.infinispan.protostream.types.java.CommonTypesSchema;

/**
 * Prints where Infinispan's own Java client sends 100,000 keys, at several numbers of segments: the vectors of
 * spec/routing, whose README has the rules by which keys and owners are made.
 */
public final class RoutingVectors {
   private static final int KEYS = 100_000;
   private static final int SHOWN = 100;
   private static final int MEMBERS = 7;
   private static final int[] SEGMENTS = {1, 3, 20, 60, 256, 257};
   private static final int SEGMENTS_OF_KINDS = 256;

   /** Source of the bytes of key n. */
   private interface Keys {
      byte[] of(int n) throws Exception;
   }

   private RoutingVectors() {
   }

   public static void main(String[] args) throws Exception {
      StringBuilder json = new StringBuilder();
      json.append(String.format(Locale.ROOT, "{\n  \"made_by\": \"infinispan-client-hotrod %s\",\n", Version.getVersion()));
      json.append(String.format(Locale.ROOT, "  \"keys\": %d,\n  \"members\": %d,\n  \"vectors\": [", KEYS, MEMBERS));
      String separator = "\n";
      for (int segments : SEGMENTS) {
         json.append(separator).append(String.format(Locale.ROOT, "    {\"segments\": %d, %s}", segments,
               vector(segments, RoutingVectors::key)));
         separator = ",\n";
      }
      json.append("\n  ],\n  \"kinds\": [");
      separator = "\n";
      ProtoStreamMarshaller marshaller = new ProtoStreamMarshaller();
      marshaller.register(new CommonTypesSchema());
      for (Map.Entry<String, Function<SplitMix64, Object>> kind : new TreeMap<>(KINDS).entrySet()) {
         Keys keys = n -> marshaller.objectToByteBuffer(kind.getValue().apply(new SplitMix64(n)));
         json.append(separator).append(String.format(Locale.ROOT, "    {\"kind\": \"%s\", %s}", kind.getKey(),
               vector(SEGMENTS_OF_KINDS, keys)));
         separator = ",\n";
      }
      System.out.println(json.append("\n  ]\n}"));
   }

   private static String vector(int segments, Keys keys) throws Exception {
      SocketAddress[][] owners = new SocketAddress[segments][];
      for (int segment = 0; segment < segments; segment++)
         owners[segment] = new SocketAddress[] {member(owner(segment))};
      SegmentConsistentHash hash = new SegmentConsistentHash();
      hash.init(owners, segments);

      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      StringBuilder first = new StringBuilder();
      for (int n = 0; n < KEYS; n++) {
         byte[] key = keys.of(n);
         int segment = hash.getSegment(key);
         int member = ((InetSocketAddress) hash.getServer(key)).getPort();
         digest.update((byte) (segment >>> 8));
         digest.update((byte) segment);
         digest.update((byte) member);
         if (n < SHOWN)
            first.append(n == 0 ? "" : ", ").append('[').append(segment).append(", ").append(member).append(']');
      }
      return String.format(Locale.ROOT, "\"sha256\": \"%s\",\n     \"first\": [%s]",
            HexFormat.of().formatHex(digest.digest()), first);
   }

   private static SocketAddress member(int member) {
      return InetSocketAddress.createUnresolved("member", member);
   }

   private static int owner(int segment) {
      return (int) (((segment * 2_654_435_761L) & 0xffff_ffffL) >>> 16) % MEMBERS;
   }

   /** Keys of the client's own marshaller, each made of the numbers of its generator. */
   private static final Map<String, Function<SplitMix64, Object>> KINDS = Map.ofEntries(
         Map.entry("bool", random -> (random.next() & 1) == 1),
         Map.entry("byte", random -> (byte) random.next()),
         Map.entry("bytes", RoutingVectors::bytes),
         Map.entry("char", random -> (char) random.next()),
         Map.entry("date_millis", random -> new Date(random.next() >> 16)),
         Map.entry("double", random -> (double) random.next()),
         Map.entry("enum", random -> Month.values()[(int) Long.remainderUnsigned(random.next(), 12)]),
         Map.entry("float", random -> (float) random.next()),
         Map.entry("instant", random -> Instant.ofEpochSecond(random.next() >> 20, Long.remainderUnsigned(random.next(), 1_000_000_000))),
         Map.entry("int32", random -> (int) random.next()),
         Map.entry("int64", SplitMix64::next),
         Map.entry("message", random -> new UUID(random.next(), random.next())),
         Map.entry("short", random -> (short) random.next()),
         Map.entry("string", RoutingVectors::text));

   /** Up to 32 code points, none of them a surrogate. */
   private static String text(SplitMix64 random) {
      StringBuilder text = new StringBuilder();
      for (long left = Long.remainderUnsigned(random.next(), 33); left > 0; left--) {
         int point = (int) Long.remainderUnsigned(random.next(), 0x10f800);
         text.appendCodePoint(point < 0xd800 ? point : point + 0x800);
      }
      return text.toString();
   }

   private static byte[] key(int n) {
      return bytes(new SplitMix64(n));
   }

   private static byte[] bytes(SplitMix64 random) {
      byte[] key = new byte[(int) Long.remainderUnsigned(random.next(), 65)];
      for (int i = 0; i < key.length; i++)
         key[i] = (byte) random.next();
      return key;
   }

   private static final class SplitMix64 {
      private long state;

      SplitMix64(long seed) {
         state = seed;
      }

      long next() {
         state += 0x9e3779b97f4a7c15L;
         long z = state;
         z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
         z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
         return z ^ (z >>> 31);
      }
   }
}
