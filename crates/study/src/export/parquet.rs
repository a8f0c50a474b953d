//! Tables as Parquet: one row group, no compression, every column optional.

use crate::error::StudyError;
use aar_server::pages::{Kind, Table, kind};
use parquet::basic::{ConvertedType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// Write a table. What is empty is absent.
pub fn write(table: &Table, path: &Path) -> Result<(), StudyError> {
    let file = File::create(path).map_err(StudyError::file("create", path))?;
    all(table, file).map_err(|error| StudyError::File {
        step: "write",
        path: path.to_owned(),
        source: std::io::Error::other(error),
    })
}

fn all(table: &Table, file: File) -> Result<(), ParquetError> {
    let field = |name: &&str| {
        let (physical, converted) = match kind(name) {
            Kind::Text => (Physical::BYTE_ARRAY, ConvertedType::UTF8),
            Kind::Integer => (Physical::INT64, ConvertedType::NONE),
            Kind::Unsigned => (Physical::INT64, ConvertedType::UINT_64),
            Kind::Number => (Physical::DOUBLE, ConvertedType::NONE),
        };
        let column = Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
        column.with_converted_type(converted).build().map(Arc::new)
    };
    let fields = table.names.iter().map(field).collect::<Result<Vec<_>, _>>()?;
    let schema = Arc::new(Type::group_type_builder("table").with_fields(fields).build()?);
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(WriterProperties::builder().build()))?;
    let mut group = writer.next_row_group()?;
    for (at, name) in table.names.iter().enumerate() {
        let cells: Vec<&str> = table.rows.iter().map(|row| row[at].as_str()).collect();
        match kind(name) {
            Kind::Text => column::<ByteArrayType>(&mut group, &cells, |text| Some(ByteArray::from(text)))?,
            Kind::Integer => column::<Int64Type>(&mut group, &cells, |text| text.parse().ok())?,
            // Parquet keeps unsigned numbers as the signed ones of the same bits.
            Kind::Unsigned => column::<Int64Type>(&mut group, &cells, |text| text.parse().ok().map(u64::cast_signed))?,
            Kind::Number => column::<DoubleType>(&mut group, &cells, |text| text.parse().ok())?,
        }
    }
    group.close()?;
    writer.close()?;
    Ok(())
}

fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, File>,
    cells: &[&str],
    read: impl Fn(&str) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let read = |text: &&str| if text.is_empty() { None } else { read(text) };
    let values: Vec<Option<T::T>> = cells.iter().map(read).collect();
    let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
    let values: Vec<T::T> = values.into_iter().flatten().collect();
    if let Some(mut column) = group.next_column()? {
        column.typed::<T>().write_batch(&values, Some(&levels), None)?;
        column.close()?;
    }
    Ok(())
}
