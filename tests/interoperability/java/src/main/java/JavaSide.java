import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;

import org.infinispan.client.hotrod.RemoteCache;
import org.infinispan.client.hotrod.RemoteCacheManager;
import org.infinispan.client.hotrod.configuration.ConfigurationBuilder;
import org.infinispan.commons.configuration.StringConfiguration;
import org.infinispan.commons.dataconversion.internal.Json;
import org.infinispan.commons.marshall.ProtoStreamMarshaller;
import org.infinispan.protostream.types.java.CommonContainerTypesSchema;
import org.infinispan.protostream.types.java.CommonTypesSchema;

import shop.Line;
import shop.Order;
import shop.ShopSchemaImpl;
import shop.Status;

/**
 * Infinispan's own client: writes the values of spec/vectors/protostream.json and an order, each as a key and as a value, or
 * reads those that another language wrote.
 *
 *    java JavaSide vectors.json host port write
 *    java JavaSide vectors.json host port read LANGUAGE
 */
public final class JavaSide {
   private static final String CACHE = "interoperability";
   private static final String ENCODING = "<distributed-cache name=\"" + CACHE + "\"><encoding media-type=\"application/x-protostream\"/>"
         + "</distributed-cache>";

   private final ProtoStreamMarshaller marshaller = new ProtoStreamMarshaller();
   private final List<Object> values = new ArrayList<>();
   private final List<String> problems = new ArrayList<>();

   public static void main(String[] arguments) throws Exception {
      JavaSide side = new JavaSide(Path.of(arguments[0]));
      ConfigurationBuilder builder = new ConfigurationBuilder();
      builder.addServer().host(arguments[1]).port(Integer.parseInt(arguments[2]));
      builder.marshaller(side.marshaller);
      try (RemoteCacheManager manager = new RemoteCacheManager(builder.build())) {
         RemoteCache<Object, Object> cache = manager.administration().getOrCreateCache(CACHE, new StringConfiguration(ENCODING));
         if (arguments[3].equals("write"))
            side.write(cache);
         else
            side.read(cache, arguments[4]);
      }
      side.problems.forEach(System.err::println);
      System.exit(side.problems.isEmpty() ? 0 : 1);
   }

   private JavaSide(Path vectors) throws Exception {
      marshaller.register(new CommonTypesSchema());
      marshaller.register(new CommonContainerTypesSchema());
      marshaller.register(new ShopSchemaImpl());
      for (Json vector : Json.read(Files.readString(vectors)).asJsonList())
         values.add(marshaller.objectFromByteBuffer(HexFormat.of().parseHex(vector.at("bytes").asString())));
   }

   private void write(RemoteCache<Object, Object> cache) {
      for (int n = 0; n < values.size(); n++) {
         cache.put(values.get(n), "java " + n);
         cache.put("java value " + n, values.get(n));
      }
      cache.put(order("java"), "java order");
      cache.put("java order", order("java"));
      System.out.println("java wrote " + values.size() + " values as keys and as values, and an order");
   }

   private void read(RemoteCache<Object, Object> cache, String language) throws Exception {
      for (int n = 0; n < values.size(); n++) {
         expect(language + " " + n, cache.get(values.get(n)), "the entry with the key of vector " + n);
         expect(values.get(n), cache.get(language + " value " + n), "the value of vector " + n);
      }
      expect(language + " order", cache.get(order(language)), "the entry with an order as its key");
      expect(order(language), cache.get(language + " order"), "the order");
      if (problems.isEmpty())
         System.out.println("java read " + values.size() + " keys and values, and the order, that " + language + " wrote");
   }

   /** Arrays within lists are equal only by their bytes. */
   private void expect(Object expected, Object found, String what) throws Exception {
      if (!Objects.deepEquals(expected, found)
            && (found == null || !Arrays.equals(marshaller.objectToByteBuffer(expected), marshaller.objectToByteBuffer(found))))
         problems.add(what + ": expected " + Arrays.deepToString(new Object[] {expected}) + ", found "
               + Arrays.deepToString(new Object[] {found}));
   }

   private static final byte[] SIGNATURE = {0, 1, -1};

   /** One entry in the map: the order of several is Java's own, and the bytes of a key have one. */
   private static Order order(String language) {
      return new Order(Integer.MIN_VALUE, language + " \uD83D\uDE00", Status.LOST, new Line("a", Long.MAX_VALUE),
            List.of(new Line("b\u0000", 1), new Line("\u4f60", -1)), Map.of("k", "v"), -0.5, SIGNATURE, Long.MIN_VALUE);
   }
}
