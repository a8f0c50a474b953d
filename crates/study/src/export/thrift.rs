//! Structs in Thrift's compact protocol, as far as Parquet's footer and page headers need it.

use super::varint;

/// A list of structs.
pub const STRUCT: u8 = 12;
/// A list of texts.
pub const TEXT: u8 = 8;
/// A list of numbers of 32 bits.
pub const INT: u8 = 5;
const LONG: u8 = 6;
const LIST: u8 = 9;

/// What is written.
#[derive(Default)]
pub struct Writer {
    /// The bytes.
    pub out: Vec<u8>,
    last: u8,
}

impl Writer {
    /// A field's number, as far from the one before it, and its type. Fields are written in the order of their numbers.
    fn field(&mut self, id: u8, kind: u8) {
        self.out.push((id - self.last) << 4 | kind);
        self.last = id;
    }

    fn zigzag(&mut self, value: i64) {
        varint::write(&mut self.out, (value << 1 ^ value >> 63).cast_unsigned());
    }

    /// A field of 32 bits.
    pub fn int(&mut self, id: u8, value: usize) {
        self.field(id, INT);
        self.zigzag(value as i64);
    }

    /// A field of 64 bits.
    pub fn long(&mut self, id: u8, value: usize) {
        self.field(id, LONG);
        self.zigzag(value as i64);
    }

    /// A text.
    pub fn text(&mut self, id: u8, text: &str) {
        self.field(id, TEXT);
        self.bare_text(text);
    }

    /// A list of so many of a type; they follow bare.
    pub fn list(&mut self, id: u8, kind: u8, count: usize) {
        self.field(id, LIST);
        match u8::try_from(count) {
            Ok(few @ 0..15) => self.out.push(few << 4 | kind),
            _ => {
                self.out.push(0xf0 | kind);
                varint::write(&mut self.out, count as u64);
            }
        }
    }

    /// A text in a list.
    pub fn bare_text(&mut self, text: &str) {
        varint::write(&mut self.out, text.len() as u64);
        self.out.extend(text.as_bytes());
    }

    /// A number in a list.
    pub fn bare_int(&mut self, value: usize) {
        self.zigzag(value as i64);
    }

    /// A struct in a list, or the outermost one.
    pub fn bare(&mut self, write: impl FnOnce(&mut Self)) {
        let outer = std::mem::take(&mut self.last);
        write(self);
        self.out.push(0);
        self.last = outer;
    }

    /// A struct.
    pub fn nested(&mut self, id: u8, write: impl FnOnce(&mut Self)) {
        self.field(id, STRUCT);
        self.bare(write);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_as_the_protocol_says() {
        let mut writer = Writer::default();
        writer.bare(|writer| {
            writer.int(1, 1);
            writer.long(3, 300);
            writer.nested(4, |inner| inner.text(2, "a"));
            writer.list(5, INT, 16);
        });
        let expect = [0x15, 2, 0x26, 0xd8, 4, 0x1c, 0x28, 1, b'a', 0, 0x19, 0xf5, 16, 0];
        assert_eq!(writer.out, expect);
    }
}
