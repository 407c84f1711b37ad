//! What JavaScript can send.

use std::{collections::BTreeMap, fmt};

use bytes::Bytes;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, SeqAccess, Visitor},
    ser::SerializeTuple,
};
use socketioxide::ParserError;
use socketioxide_core::parser::Parse;
use socketioxide_parser_common::CommonParser;

/// Any value that a client can send: JSON, and `Buffer`s anywhere in it.
///
/// A [`serde_json::Value`] has no variant for bytes, so with a `Buffer` inside an object
/// it cannot be extracted.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`, and `undefined` in an array
    Null,
    /// `true` or `false`
    Bool(bool),
    /// a number, exact up to 64 bits if it is an integer
    Number(serde_json::Number),
    /// a string
    String(String),
    /// a `Buffer`, an `ArrayBuffer`, or a view of one
    Binary(Bytes),
    /// an array
    Array(Vec<Value>),
    /// an object
    Object(BTreeMap<String, Value>),
}

/// All arguments of an event, however many there are, to extract with
/// [`Data`](socketioxide::extract::Data) and to emit.
///
/// ```js
/// socket.on('echo', (...args) => socket.emit('echo', ...args));
/// ```
///
/// ```
/// # use socketioxide::extract::{Data, SocketRef};
/// # use parity::Args;
/// # fn example(socket: SocketRef) {
/// parity::on(&socket, "echo", async |socket: SocketRef, Data(args): Data<Args>| {
///     parity::emit(&socket, "echo", &args).await.ok();
/// });
/// # }
/// ```
///
/// A tuple is extracted only if the client has sent exactly as many arguments.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Args<T = Value>(pub Vec<T>);

impl Args {
    /// What a client would get if `data` were emitted.
    pub(crate) fn of<T: Serialize + ?Sized>(data: &T) -> Result<Self, ParserError> {
        let mut encoded = CommonParser.encode_value(data, None)?;
        CommonParser.decode_value(&mut encoded, false)
    }
}

impl<T: Serialize> Serialize for Args<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        // A tuple is several arguments, a sequence would be one.
        let mut tuple = to.serialize_tuple(self.0.len())?;
        for argument in &self.0 {
            tuple.serialize_element(argument)?;
        }
        tuple.end()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Args<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Arguments<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Arguments<T> {
            type Value = Args<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("arguments")
            }

            fn visit_seq<S: SeqAccess<'de>>(
                self,
                mut seq: S,
            ) -> Result<Args<T>, S::Error> {
                let mut arguments = Vec::new();
                while let Some(argument) = seq.next_element()? {
                    arguments.push(argument);
                }
                Ok(Args(arguments))
            }
        }
        // The length is a hint, which JSON has no use for.
        from.deserialize_tuple(0, Arguments(std::marker::PhantomData))
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => to.serialize_unit(),
            Self::Bool(value) => to.serialize_bool(*value),
            Self::Number(value) => value.serialize(to),
            Self::String(value) => to.serialize_str(value),
            Self::Binary(value) => to.serialize_bytes(value),
            Self::Array(value) => value.serialize(to),
            Self::Object(value) => value.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON or bytes")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        // JSON has neither infinity nor NaN.
        let number = serde_json::Number::from_f64(value);
        Ok(number.map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<Value, E> {
        Ok(Value::Binary(Bytes::copy_from_slice(value)))
    }

    fn visit_byte_buf<E>(self, value: Vec<u8>) -> Result<Value, E> {
        Ok(Value::Binary(value.into()))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Value, S::Error> {
        let mut array = Vec::new();
        while let Some(element) = seq.next_element()? {
            array.push(element);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Value, M::Error> {
        let mut object = BTreeMap::new();
        while let Some((key, value)) = map.next_entry()? {
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}
