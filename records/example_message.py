"""The message tf.train.Example, declared without TensorFlow.

It lives in a descriptor pool of its own, so TensorFlow's message of the same name can be loaded in
the same process. The bytes are the same.
"""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

# tensorflow/core/example/feature.proto and example.proto. A map is, on the wire and in a
# descriptor, a repeated message of key and value.
_DECLARATION = """
name: "example.proto"  package: "tensorflow"  syntax: "proto3"
message_type {
  name: "BytesList"
  field { name: "value" number: 1 type: TYPE_BYTES label: LABEL_REPEATED }
}
message_type {
  name: "FloatList"
  field { name: "value" number: 1 type: TYPE_FLOAT label: LABEL_REPEATED }
}
message_type {
  name: "Int64List"
  field { name: "value" number: 1 type: TYPE_INT64 label: LABEL_REPEATED }
}
message_type {
  name: "Feature"
  oneof_decl { name: "kind" }
  field {
    name: "bytes_list" number: 1 type: TYPE_MESSAGE type_name: ".tensorflow.BytesList"
    label: LABEL_OPTIONAL oneof_index: 0
  }
  field {
    name: "float_list" number: 2 type: TYPE_MESSAGE type_name: ".tensorflow.FloatList"
    label: LABEL_OPTIONAL oneof_index: 0
  }
  field {
    name: "int64_list" number: 3 type: TYPE_MESSAGE type_name: ".tensorflow.Int64List"
    label: LABEL_OPTIONAL oneof_index: 0
  }
}
message_type {
  name: "Features"
  nested_type {
    name: "FeatureEntry"
    options { map_entry: true }
    field { name: "key" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
    field {
      name: "value" number: 2 type: TYPE_MESSAGE type_name: ".tensorflow.Feature"
      label: LABEL_OPTIONAL
    }
  }
  field {
    name: "feature" number: 1 type: TYPE_MESSAGE type_name: ".tensorflow.Features.FeatureEntry"
    label: LABEL_REPEATED
  }
}
message_type {
  name: "Example"
  field {
    name: "features" number: 1 type: TYPE_MESSAGE type_name: ".tensorflow.Features"
    label: LABEL_OPTIONAL
  }
}
"""

_POOL = descriptor_pool.DescriptorPool()
_POOL.Add(text_format.Parse(_DECLARATION, descriptor_pb2.FileDescriptorProto()))

Example = message_factory.GetMessageClass(_POOL.FindMessageTypeByName("tensorflow.Example"))
