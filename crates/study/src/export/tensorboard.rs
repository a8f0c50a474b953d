//! Runs as TensorBoard's event files: records of a length, its checksum, a protocol buffer and its checksum.
//!
//! The three messages that are needed (`Event`, `Summary`, `Summary.Value` of tensorflow's `event.proto` and `summary.proto`) have six
//! fields between them, written here by their numbers.

use super::run::Run;
use crate::error::StudyError;
use std::path::Path;

/// Write a folder per run.
pub fn write(runs: &[Run], root: &Path) -> Result<(), StudyError> {
    for run in runs {
        let folder = root.join(format!("{:05}", run.id));
        std::fs::create_dir_all(&folder).map_err(StudyError::file("create", &folder))?;
        let path = folder.join(format!("events.out.tfevents.{}.aar", run.at_ms / 1000));
        std::fs::write(&path, events(run)).map_err(StudyError::file("write", &path))?;
    }
    Ok(())
}

fn events(run: &Run) -> Vec<u8> {
    let at_s = run.ended_ms.unwrap_or(run.at_ms) as f64 / 1000.0;
    let mut out = record(&version(at_s));
    for (name, value) in &run.values {
        out.extend(record(&scalar(at_s, 0, name, *value)));
    }
    for (name, points) in &run.curves {
        for (step, value) in points {
            out.extend(record(&scalar(at_s, *step, name, *value)));
        }
    }
    out
}

/// What every file begins with.
fn version(at_s: f64) -> Vec<u8> {
    let mut event = wall_time(at_s);
    bytes(&mut event, 3, b"brain.Event:2");
    event
}

fn wall_time(at_s: f64) -> Vec<u8> {
    let mut event = vec![1 << 3 | 1];
    event.extend(at_s.to_le_bytes());
    event
}

fn scalar(at_s: f64, step: i64, tag: &str, value: f64) -> Vec<u8> {
    let mut entry = vec![];
    bytes(&mut entry, 1, tag.as_bytes());
    entry.push(2 << 3 | 5);
    entry.extend((value as f32).to_le_bytes());
    let mut summary = vec![];
    bytes(&mut summary, 1, &entry);
    let mut event = wall_time(at_s);
    event.push(2 << 3);
    varint(&mut event, step.cast_unsigned());
    bytes(&mut event, 5, &summary);
    event
}

fn bytes(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    out.push(field << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend(bytes);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked(&length).to_le_bytes(), data, &masked(data).to_le_bytes()].concat()
}

/// CRC-32C, turned and shifted, for a checksum of what holds checksums is weak (`tensorflow/core/lib/hash/crc32c.h`).
fn masked(data: &[u8]) -> u32 {
    crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Castagnoli's polynomial, reflected.
fn crc32c(data: &[u8]) -> u32 {
    !data.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ ((sum & 1) * 0x82f6_3b78))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_the_known_ones() {
        // RFC 3720, appendix B.4.
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
    }

    #[test]
    fn numbers_are_written_as_protocol_buffers_do() {
        let mut out = vec![];
        varint(&mut out, 300);
        assert_eq!(out, [0xac, 2]);
        assert_eq!(scalar(0.0, 1, "a", 0.0)[9..], [0x10, 1, 0x2a, 10, 0x0a, 8, 0x0a, 1, b'a', 0x15, 0, 0, 0, 0]);
    }
}
