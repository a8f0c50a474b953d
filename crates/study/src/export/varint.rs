//! Whole numbers in as many bytes as they need, seven bits each (LEB128), as protocol buffers and Thrift write them.

/// Append one.
pub fn write(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    #[test]
    fn seven_bits_a_byte() {
        for (value, expect) in [(0, &[0][..]), (127, &[0x7f]), (128, &[0x80, 1]), (300, &[0xac, 2])] {
            let mut out = vec![];
            super::write(&mut out, value);
            assert_eq!(out, expect);
        }
    }
}
