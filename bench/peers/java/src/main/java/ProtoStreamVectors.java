import java.io.IOException;
import java.time.Instant;
import java.time.Month;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.LinkedList;
import java.util.List;
import java.util.TreeSet;
import java.util.UUID;

import org.infinispan.commons.dataconversion.internal.Json;
import org.infinispan.commons.marshall.ProtoStreamMarshaller;
import org.infinispan.protostream.types.java.CommonContainerTypesSchema;
import org.infinispan.protostream.types.java.CommonTypesSchema;

/** Prints the vectors of spec/vectors/protostream.json: Java values, and the bytes that the client's marshaller makes of them. */
public final class ProtoStreamVectors {
   private static final String COMMONS = "org.infinispan.protostream.commons.";
   /** Type number of java.util.UUID in the schema of Java's class library. */
   private static final int UUID_TYPE_ID = 1005;

   private final ProtoStreamMarshaller marshaller = new ProtoStreamMarshaller();
   private final List<String> lines = new ArrayList<>();

   public static void main(String[] arguments) throws Exception {
      ProtoStreamVectors vectors = new ProtoStreamVectors();
      vectors.marshaller.register(new CommonTypesSchema());
      vectors.marshaller.register(new CommonContainerTypesSchema());
      vectors.addScalars();
      vectors.addTyped();
      vectors.addContainers();
      System.out.println("[\n" + String.join(",\n", vectors.lines) + "\n]");
   }

   private void addScalars() throws Exception {
      for (String text : new String[] {"", "k", "a\u0000b", "h\u00e9llo", "\u4f60\u597d", "\uD83D\uDE00 beyond the BMP", "x".repeat(200)}) {
         add("string", text, Json.object("string", text));
      }
      for (int number : new int[] {0, 1, -1, 127, 128, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
         add("int", number, Json.object("int32", number));
      }
      for (long number : new long[] {0, 1, -1, 1L << 53, Long.MIN_VALUE, Long.MAX_VALUE}) {
         add("long", number, Json.object("int64", Long.toString(number)));
      }
      for (double number : new double[] {0, -0.0, 1.5, Double.MIN_VALUE, Double.MAX_VALUE, Double.NEGATIVE_INFINITY, Double.NaN}) {
         add("double", number, Json.object("double_bits", Long.toHexString(Double.doubleToRawLongBits(number))));
      }
      for (float number : new float[] {0, -0.0f, 1.5f, Float.MIN_VALUE, Float.MAX_VALUE, Float.POSITIVE_INFINITY, Float.NaN}) {
         add("float", number, Json.object("float_bits", Integer.toHexString(Float.floatToRawIntBits(number))));
      }
      for (boolean truth : new boolean[] {false, true}) {
         add("boolean", truth, Json.object("bool", truth));
      }
      for (byte[] bytes : new byte[][] {{}, {0}, {1, 0, (byte) 0xff}}) {
         add("byte[]", bytes, Json.object("bytes", HexFormat.of().formatHex(bytes)));
      }
      for (char unit : new char[] {0, 'a', '\uD83D', '\uffff'}) {
         add("char", unit, Json.object("char", (int) unit));
      }
      for (short number : new short[] {0, -2, Short.MIN_VALUE, Short.MAX_VALUE}) {
         add("short", number, Json.object("short", (int) number));
      }
      for (byte number : new byte[] {0, -1, Byte.MIN_VALUE, Byte.MAX_VALUE}) {
         add("byte", number, Json.object("byte", (int) number));
      }
   }

   private void addTyped() throws Exception {
      for (long millis : new long[] {0, -1, 1_800_000_000_000L}) {
         add("Date", new Date(millis), Json.object("date_millis", Long.toString(millis)));
      }
      for (Instant instant : new Instant[] {Instant.EPOCH, Instant.ofEpochSecond(-5, 999_999_999), Instant.MAX, Instant.MIN}) {
         add("Instant", instant, json(instant));
      }
      add("UUID", new UUID(1, -2), json(new UUID(1, -2)));
      for (Month month : new Month[] {Month.JANUARY, Month.DECEMBER}) {
         add("Month", month, json(month));
      }
   }

   private void addContainers() throws Exception {
      List<Object> mixed = new ArrayList<>(Arrays.asList("a", 1L, null, new UUID(1, 2), Month.MAY, Instant.EPOCH, new byte[] {1}));
      add("ArrayList", new ArrayList<>(), container("ArrayList", List.of()));
      add("ArrayList", mixed, container("ArrayList", mixed));
      List<Object> nested = new ArrayList<>(List.of(new ArrayList<>(List.of(1)), new ArrayList<>(), 2));
      add("ArrayList", nested, container("ArrayList", nested));
      add("LinkedList", new LinkedList<>(List.of(1)), container("LinkedList", List.of(1)));
      add("HashSet", new HashSet<>(List.of(1)), container("HashSet", List.of(1)));
      add("LinkedHashSet", new LinkedHashSet<>(List.of(2, 1)), container("LinkedHashSet", List.of(2, 1)));
      add("TreeSet", new TreeSet<>(List.of("b", "a")), container("TreeSet", List.of("a", "b")));
      add("Object[]", mixed.toArray(), container("ObjectArray", mixed));
      add("String[]", new String[] {"a", "", null}, container("StringArray", Arrays.asList("a", "", null)));
      add("int[]", new int[] {1, -1}, container("IntArray", List.of(1, -1)));
      add("long[]", new long[] {1, -1}, container("LongArray", List.of(1L, -1L)));
      add("boolean[]", new boolean[] {true}, container("BooleanArray", List.of(true)));
      add("Integer[]", new Integer[] {1, null}, container("BoxedIntegerArray", Arrays.asList(1, null)));
      List<Integer> hundreds = java.util.stream.IntStream.range(0, 300).boxed().toList();
      add("ArrayList", new ArrayList<>(hundreds), container("ArrayList", hundreds));
   }

   private void add(String type, Object value, Json meaning) throws IOException, InterruptedException {
      String bytes = HexFormat.of().formatHex(marshaller.objectToByteBuffer(value));
      lines.add("  " + Json.object("java", type).set("value", meaning).set("bytes", bytes));
   }

   private static Json container(String type, List<?> elements) {
      Json array = Json.array();
      elements.forEach(element -> array.add(json(element)));
      return Json.object("container", Json.object("type", COMMONS + type).set("elements", array));
   }

   private static Json json(Object value) {
      if (value == null) return Json.object("null", true);
      if (value instanceof String text) return Json.object("string", text);
      if (value instanceof Integer number) return Json.object("int32", number.intValue());
      if (value instanceof Long number) return Json.object("int64", Long.toString(number));
      if (value instanceof Boolean truth) return Json.object("bool", truth);
      if (value instanceof byte[] bytes) return Json.object("bytes", HexFormat.of().formatHex(bytes));
      if (value instanceof Instant instant) {
         return Json.object("instant", Json.object("seconds", Long.toString(instant.getEpochSecond())).set("nanos", instant.getNano()));
      }
      if (value instanceof UUID uuid) {
         // The message of the schema: two fields of the wire type fixed64, numbers 3 and 4.
         String fields = "19" + littleEndian(uuid.getMostSignificantBits()) + "21" + littleEndian(uuid.getLeastSignificantBits());
         return Json.object("message", Json.object("type_id", UUID_TYPE_ID).set("bytes", fields));
      }
      if (value instanceof Month month) {
         return Json.object("enum", Json.object("type", COMMONS + "Month").set("number", month.ordinal()));
      }
      if (value instanceof List<?> list) return container("ArrayList", list);
      throw new IllegalArgumentException(value.getClass().getName());
   }

   private static String littleEndian(long value) {
      return HexFormat.of().toHexDigits(Long.reverseBytes(value));
   }
}
