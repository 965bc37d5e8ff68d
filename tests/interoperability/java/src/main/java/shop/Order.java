package shop;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.infinispan.protostream.annotations.ProtoFactory;
import org.infinispan.protostream.annotations.ProtoField;

/** A class of an application: nested and repeated messages, an enum, a map, and every kind of number. */
public record Order(
      @ProtoField(value = 1, defaultValue = "0") int number,
      @ProtoField(2) String customer,
      @ProtoField(3) Status status,
      @ProtoField(4) Line first,
      @ProtoField(5) List<Line> lines,
      @ProtoField(value = 6, mapImplementation = HashMap.class) Map<String, String> labels,
      @ProtoField(value = 7, defaultValue = "0") double price,
      @ProtoField(8) byte[] signature,
      @ProtoField(value = 9, defaultValue = "0") long paidAt) {
   @ProtoFactory
   public Order {
   }
}
