//! safetensors files, whole or sharded, as f32.

use crate::error::LmError;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Tensors of a checkpoint in memory, by name.
pub struct Weights {
    path: PathBuf,
    tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
}

impl Weights {
    /// Read `dir/stem.safetensors`, or the shards of `dir/stem.safetensors.index.json`.
    pub fn load(dir: &Path, stem: &str) -> Result<Self, LmError> {
        let whole = dir.join(format!("{stem}.safetensors"));
        let index = dir.join(format!("{stem}.safetensors.index.json"));
        let mut weights = Self { path: whole.clone(), tensors: BTreeMap::new() };
        if whole.exists() || !index.exists() {
            weights.read(&whole)?;
            return Ok(weights);
        }
        for shard in shards(&index)? {
            weights.read(&dir.join(shard))?;
        }
        weights.path = index;
        Ok(weights)
    }

    fn read(&mut self, path: &Path) -> Result<(), LmError> {
        let bytes = std::fs::read(path).map_err(LmError::file("read", path))?;
        let file = SafeTensors::deserialize(&bytes)
            .map_err(|error| LmError::Weights { path: path.to_owned(), detail: error.to_string() })?;
        for (name, view) in file.iter() {
            let values = widen(path, name, &view)?;
            if values.iter().any(|value| !value.is_finite()) {
                return Err(LmError::NotFinite { path: path.to_owned(), name: name.to_owned() });
            }
            self.tensors.insert(name.to_owned(), (view.shape().to_vec(), values));
        }
        Ok(())
    }

    /// Names in the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Whether a tensor is there.
    pub fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// A tensor's shape and values.
    pub fn any(&self, name: &str) -> Result<(&[usize], &[f32]), LmError> {
        let tensor = self.tensors.get(name);
        let (shape, values) =
            tensor.ok_or_else(|| LmError::MissingTensor { path: self.path.clone(), name: name.to_owned() })?;
        Ok((shape, values))
    }

    /// A tensor that must have this shape.
    pub fn get(&self, name: &str, expected: &[usize]) -> Result<&[f32], LmError> {
        let (shape, values) = self.any(name)?;
        if shape != expected {
            let (found, expected) = (shape.to_vec(), expected.to_vec());
            return Err(LmError::Shape { path: self.path.clone(), name: name.to_owned(), found, expected });
        }
        Ok(values)
    }
}

fn shards(index: &Path) -> Result<BTreeSet<String>, LmError> {
    let text = std::fs::read(index).map_err(LmError::file("read", index))?;
    let wrong = |detail: String| LmError::Config { path: index.to_owned(), detail };
    let value: serde_json::Value = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
    let map = value.get("weight_map").and_then(|map| map.as_object());
    let map = map.ok_or_else(|| wrong("has no weight_map".into()))?;
    let names: Option<BTreeSet<String>> = map.values().map(|name| name.as_str().map(str::to_owned)).collect();
    match names {
        Some(names) if names.iter().all(|name| !name.contains('/')) => Ok(names),
        _ => Err(wrong("weight_map must name files beside it".into())),
    }
}

fn widen(path: &Path, name: &str, view: &TensorView<'_>) -> Result<Vec<f32>, LmError> {
    let data = view.data();
    Ok(match view.dtype() {
        Dtype::F32 => data.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        Dtype::BF16 => {
            data.as_chunks::<2>().0.iter().map(|b| f32::from_bits(u32::from(u16::from_le_bytes(*b)) << 16)).collect()
        }
        Dtype::F16 => data.as_chunks::<2>().0.iter().map(|b| half(u16::from_le_bytes(*b))).collect(),
        // Position ids and the like: not weights, but not wrong either.
        Dtype::I64 => data.as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b) as f32).collect(),
        other => {
            let found = format!("{other:?}");
            return Err(LmError::ElementType { path: path.to_owned(), name: name.to_owned(), found });
        }
    })
}

/// IEEE 754 half precision to single.
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    sign * match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    }
}

/// Write tensors as f32, atomically: a reader never sees half a file.
pub fn save(path: &Path, tensors: &[(String, Vec<usize>, &[f32])]) -> Result<(), LmError> {
    let wrong =
        |error: safetensors::SafeTensorError| LmError::Weights { path: path.to_owned(), detail: error.to_string() };
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|(_, _, values)| values.iter().flat_map(|value| value.to_le_bytes()).collect()).collect();
    let views = tensors.iter().zip(&bytes).map(|((name, shape, _), bytes)| {
        Ok((name.clone(), TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(wrong)?))
    });
    let views: Vec<(String, TensorView<'_>)> = views.collect::<Result<_, LmError>>()?;
    let metadata = std::collections::HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let data = safetensors::serialize(views, Some(metadata)).map_err(wrong)?;
    let partial = path.with_extension("partial");
    std::fs::write(&partial, data).map_err(LmError::file("write", &partial))?;
    std::fs::rename(&partial, path).map_err(LmError::file("write", path))
}
