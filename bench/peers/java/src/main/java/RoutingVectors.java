import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Locale;

import org.infinispan.client.hotrod.impl.consistenthash.SegmentConsistentHash;
import org.infinispan.commons.util.Version;

/**
 * Prints where Infinispan's own Java client sends 100,000 keys, at several numbers of segments: the vectors of
 * spec/routing, whose README has the rules by which keys and owners are made.
 */
public final class RoutingVectors {
   private static final int KEYS = 100_000;
   private static final int SHOWN = 100;
   private static final int MEMBERS = 7;
   private static final int[] SEGMENTS = {1, 3, 20, 60, 256, 257};

   private RoutingVectors() {
   }

   public static void main(String[] args) throws Exception {
      StringBuilder json = new StringBuilder();
      json.append(String.format(Locale.ROOT, "{\n  \"made_by\": \"infinispan-client-hotrod %s\",\n", Version.getVersion()));
      json.append(String.format(Locale.ROOT, "  \"keys\": %d,\n  \"members\": %d,\n  \"vectors\": [", KEYS, MEMBERS));
      String separator = "\n";
      for (int segments : SEGMENTS) {
         json.append(separator).append(vector(segments));
         separator = ",\n";
      }
      System.out.println(json.append("\n  ]\n}"));
   }

   private static String vector(int segments) throws Exception {
      SocketAddress[][] owners = new SocketAddress[segments][];
      for (int segment = 0; segment < segments; segment++)
         owners[segment] = new SocketAddress[] {member(owner(segment))};
      SegmentConsistentHash hash = new SegmentConsistentHash();
      hash.init(owners, segments);

      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      StringBuilder first = new StringBuilder();
      for (int n = 0; n < KEYS; n++) {
         byte[] key = key(n);
         int segment = hash.getSegment(key);
         int member = ((InetSocketAddress) hash.getServer(key)).getPort();
         digest.update((byte) (segment >>> 8));
         digest.update((byte) segment);
         digest.update((byte) member);
         if (n < SHOWN)
            first.append(n == 0 ? "" : ", ").append('[').append(segment).append(", ").append(member).append(']');
      }
      return String.format(Locale.ROOT, "    {\"segments\": %d, \"sha256\": \"%s\",\n     \"first\": [%s]}", segments,
            HexFormat.of().formatHex(digest.digest()), first);
   }

   private static SocketAddress member(int member) {
      return InetSocketAddress.createUnresolved("member", member);
   }

   private static int owner(int segment) {
      return (int) (((segment * 2_654_435_761L) & 0xffff_ffffL) >>> 16) % MEMBERS;
   }

   private static byte[] key(int n) {
      SplitMix64 random = new SplitMix64(n);
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
