//! Tables as Parquet: one group of rows, a page per column, nothing compressed, every column optional.
//!
//! `parquet.thrift` of the Apache project has the structs and their fields' numbers. The format's own crate would do it too, and with it
//! come other features of crates that the engine is built on.

use super::thrift::{self, Writer};
use super::varint;
use crate::error::StudyError;
use aar_server::pages::{Kind, Table, kind};
use std::path::Path;

const MAGIC: &[u8] = b"PAR1";
/// `Encoding`: as it is.
const PLAIN: usize = 0;
/// `Encoding`: runs, for which cells are there.
const RLE: usize = 3;
/// `FieldRepetitionType`.
const OPTIONAL: usize = 1;

/// Write a table. What is empty is absent.
pub fn write(table: &Table, path: &Path) -> Result<(), StudyError> {
    std::fs::write(path, file(table)).map_err(StudyError::file("write", path))
}

/// `Type` of a column.
fn physical(kind: Kind) -> usize {
    match kind {
        Kind::Integer | Kind::Unsigned => 2,
        Kind::Number => 5,
        Kind::Text => 6,
    }
}

/// `ConvertedType`: what the bytes mean, where the type does not say it.
fn converted(kind: Kind) -> Option<usize> {
    match kind {
        Kind::Text => Some(0),
        Kind::Unsigned => Some(14),
        Kind::Integer | Kind::Number => None,
    }
}

/// A column's page in the file.
struct Chunk {
    name: &'static str,
    offset: usize,
    bytes: usize,
}

fn file(table: &Table) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    let mut chunks = vec![];
    for (at, name) in table.names.iter().enumerate() {
        let page = page(table.rows.iter().map(|row| row[at].as_str()), table.rows.len(), kind(name));
        chunks.push(Chunk { name, offset: out.len(), bytes: page.len() });
        out.extend(page);
    }
    let footer = footer(&chunks, table.rows.len());
    out.extend(&footer);
    out.extend((footer.len() as u32).to_le_bytes());
    out.extend(MAGIC);
    out
}

/// A page with its header.
fn page<'a>(cells: impl Iterator<Item = &'a str>, rows: usize, kind: Kind) -> Vec<u8> {
    let (mut there, mut values) = (vec![], vec![]);
    for cell in cells {
        let value = plain(cell, kind);
        there.push(value.is_some());
        values.extend(value.into_iter().flatten());
    }
    let levels = runs(&there);
    let size = 4 + levels.len() + values.len();
    let mut header = Writer::default();
    header.bare(|header| {
        header.int(1, 0);
        header.int(2, size);
        header.int(3, size);
        header.nested(5, |page| {
            page.int(1, rows);
            page.int(2, PLAIN);
            page.int(3, RLE);
            page.int(4, RLE);
        });
    });
    [header.out, (levels.len() as u32).to_le_bytes().into(), levels, values].concat()
}

/// A cell's bytes; `None` where it is absent.
fn plain(cell: &str, kind: Kind) -> Option<Vec<u8>> {
    if cell.is_empty() {
        return None;
    }
    Some(match kind {
        Kind::Text => [&(cell.len() as u32).to_le_bytes(), cell.as_bytes()].concat(),
        Kind::Integer => cell.parse::<i64>().ok()?.to_le_bytes().into(),
        Kind::Unsigned => cell.parse::<u64>().ok()?.to_le_bytes().into(),
        Kind::Number => cell.parse::<f64>().ok()?.to_le_bytes().into(),
    })
}

/// Bits as runs of equal ones: the run's length, shifted for that it is a run, and the bit.
fn runs(bits: &[bool]) -> Vec<u8> {
    let mut out = vec![];
    for run in bits.chunk_by(|a, b| a == b) {
        varint::write(&mut out, (run.len() as u64) << 1);
        out.push(u8::from(run[0]));
    }
    out
}

/// `FileMetaData`.
fn footer(chunks: &[Chunk], rows: usize) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.bare(|file| {
        file.int(1, 1);
        file.list(2, thrift::STRUCT, chunks.len() + 1);
        file.bare(|root| {
            root.text(4, "table");
            root.int(5, chunks.len());
        });
        for chunk in chunks {
            file.bare(|column| element(column, chunk.name));
        }
        file.long(3, rows);
        file.list(4, thrift::STRUCT, 1);
        file.bare(|group| {
            group.list(1, thrift::STRUCT, chunks.len());
            for chunk in chunks {
                group.bare(|column| {
                    column.long(2, chunk.offset);
                    column.nested(3, |meta| about(meta, chunk, rows));
                });
            }
            group.long(2, chunks.iter().map(|chunk| chunk.bytes).sum());
            group.long(3, rows);
        });
        file.text(6, concat!("aar ", env!("CARGO_PKG_VERSION")));
    });
    writer.out
}

/// `SchemaElement` of a column.
fn element(column: &mut Writer, name: &str) {
    let kind = kind(name);
    column.int(1, physical(kind));
    column.int(3, OPTIONAL);
    column.text(4, name);
    if let Some(converted) = converted(kind) {
        column.int(6, converted);
    }
}

/// `ColumnMetaData`.
fn about(meta: &mut Writer, chunk: &Chunk, rows: usize) {
    meta.int(1, physical(kind(chunk.name)));
    meta.list(2, thrift::INT, 2);
    meta.bare_int(PLAIN);
    meta.bare_int(RLE);
    meta.list(3, thrift::TEXT, 1);
    meta.bare_text(chunk.name);
    // Not compressed.
    meta.int(4, 0);
    meta.long(5, rows);
    meta.long(6, chunk.bytes);
    meta.long(7, chunk.bytes);
    meta.long(9, chunk.offset);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_there_or_not_and_runs_say_which() {
        assert_eq!(runs(&[true, true, false]), [4, 1, 2, 0]);
        assert_eq!(plain("-1", Kind::Integer).unwrap(), [0xff; 8]);
        assert_eq!(plain("é", Kind::Text).unwrap(), [2, 0, 0, 0, 0xc3, 0xa9]);
        assert_eq!((plain("", Kind::Text), plain("x", Kind::Number)), (None, None));
    }
}
