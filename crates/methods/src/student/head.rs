//! A linear readout of frozen states, as an artefact.

use crate::error::MethodError;
use crate::readout::Readout;
use aar_lm::weights::{self, Weights};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A readout of a student's contrast features.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// The weights.
    pub readout: Readout,
}

/// `head.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Meta {
    width: usize,
}

impl Head {
    /// Write `head.json` and `head.safetensors`.
    pub fn save(&self, dir: &Path) -> Result<(), MethodError> {
        std::fs::create_dir_all(dir).map_err(MethodError::file("create", dir))?;
        let width = self.readout.weight.len();
        let path = dir.join("head.json");
        std::fs::write(&path, format!("{{\"width\": {width}}}\n")).map_err(MethodError::file("write", &path))?;
        let bias = [self.readout.bias];
        let tensors =
            [("weight".to_owned(), vec![width], &self.readout.weight[..]), ("bias".to_owned(), vec![1], &bias[..])];
        Ok(weights::save(&dir.join("head.safetensors"), &tensors)?)
    }

    /// Read them; `width` is what the student's features have.
    pub fn load(dir: &Path, width: usize) -> Result<Self, MethodError> {
        let path = dir.join("head.json");
        let text = std::fs::read(&path).map_err(MethodError::file("read", &path))?;
        let meta: Meta = serde_json::from_slice(&text)
            .map_err(|error| MethodError::Inference(format!("{}: {error}", path.display())))?;
        if meta.width != width {
            let detail = format!("head.json says width {}, the student's features have {width}", meta.width);
            return Err(MethodError::Inference(detail));
        }
        let file = Weights::load(dir, "head")?;
        let weight = file.get("weight", &[width])?.to_vec();
        let bias = file.get("bias", &[1])?[0];
        Ok(Self { readout: Readout { weight, bias } })
    }
}
