//! The truth of a testbed's pool, for the operator's checks alone: read where it was kept, drawn again from the secret where it was not.

use crate::draw::Sample;
use crate::error::WorldError;
use crate::seal::truth_rows;
use crate::secret::Secret;
use crate::subject::Part;
use crate::subjects::Subject;
use aar_domain::item::{Distribution, Item};
use aar_domain::testbed::{Origin, TestbedRecord};
use aar_grader::truth::{self, TruthRow};
use serde::Deserialize;
use std::path::Path;

/// `None` where the testbed did not keep it and it can't be drawn again: imported before it was kept, or minted by another generator.
pub fn truth(testbed: &Path, record: &TestbedRecord) -> Result<Option<Vec<TruthRow>>, WorldError> {
    match truth::read_pool(testbed)? {
        Some(rows) => Ok(Some(rows)),
        None => Ok(again(testbed, record)),
    }
}

/// The pool once more from the world's secret, if what comes out is the pool that is there.
fn again(testbed: &Path, record: &TestbedRecord) -> Option<Vec<TruthRow>> {
    #[derive(Deserialize)]
    struct Kept {
        secret: String,
    }
    let Origin::Minted { attempts, .. } = &record.origin else {
        return None;
    };
    let text = std::fs::read_to_string(testbed.join("hidden/secret.json")).ok()?;
    let secret = Secret::from_hex(&serde_json::from_str::<Kept>(&text).ok()?.secret)?;
    let pool = std::fs::read_to_string(testbed.join("public/pool.jsonl")).ok()?;
    let pool: Vec<Item> = pool.lines().map(serde_json::from_str).collect::<Result<_, _>>().ok()?;
    // Worlds that lack it are older than pairs of models.
    let subject = Subject::named(&record.subject)?;
    // The record has the mechanism in words only.
    let possible = [subject.clone(), subject.clone().drawn(&secret, false), subject.drawn(&secret, true)];
    possible.iter().find_map(|subject| {
        let secret = secret.child(&format!("attempt {attempts}"));
        let world = subject.world(&secret);
        let rows = world.items(Part::Pool, Distribution::In, world.sizes().pool, &mut secret.stream("pool"));
        let sample = Sample::from(rows);
        (sample.items == pool).then(|| truth_rows(&sample))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_world_that_ships_gives_its_pool_again() {
        let harbour = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../worlds/harbour");
        let record = serde_json::from_str(&std::fs::read_to_string(harbour.join("testbed.json")).unwrap()).unwrap();
        let rows = truth(&harbour, &record).unwrap().expect("drawn again");
        let positive = rows.iter().filter(|row| row.label).count();
        assert!(rows.len() == 2000 && (900..1100).contains(&positive), "{} rows, {positive} positive", rows.len());
        // The teacher is right about it as often as its record says, not half of the time.
        let weak: Vec<aar_domain::item::SoftLabel> = std::fs::read_to_string(harbour.join("public/weak.jsonl"))
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let right = weak.iter().zip(&rows).filter(|(weak, row)| weak.id.0 == row.id && (weak.p > 0.5) == row.label);
        let share = right.count() as f64 / 2000.0;
        assert!((0.55..0.75).contains(&share), "{share}");
    }
}
