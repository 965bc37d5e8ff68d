package shop;

import org.infinispan.protostream.GeneratedSchema;
import org.infinispan.protostream.annotations.ProtoSchema;
import org.infinispan.protostream.annotations.ProtoSyntax;

@ProtoSchema(schemaPackageName = "shop", schemaFileName = "shop.proto", schemaFilePath = "proto",
      includeClasses = {Order.class, Line.class, Status.class}, syntax = ProtoSyntax.PROTO3)
public interface ShopSchema extends GeneratedSchema {
}
