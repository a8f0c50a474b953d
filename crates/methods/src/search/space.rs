//! The choices a recipe is composed of, as genes.
//!
//! A genome holds one choice per gene; choice 0 of every gene is plain training. Recipes by other authors are read
//! back into genomes gene by gene, so that anybody's snapshot can be built on.

use crate::recipe::Recipe;
use aar_domain::family::Family;
use std::path::Path;
use toml::{Table, Value};

/// One choice of a gene.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// Its value in the recipe; `None` leaves the key out.
    pub value: Setting,
    /// The family of ideas it belongs to; `None` for plain training's own choice.
    pub family: Option<Family>,
}

/// A value as it stands in a recipe.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Setting {
    /// A name.
    Text(&'static str),
    /// A count.
    Count(i64),
    /// A number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
}

/// A key of a recipe with its choices.
#[derive(Debug)]
pub struct Gene {
    /// Section of the recipe.
    pub section: &'static str,
    /// Key in the section.
    pub key: &'static str,
    /// Choices; the first is plain training's.
    pub choices: &'static [Choice],
}

/// One choice per gene of [`GENES`], by index.
pub type Genome = Vec<u8>;

const fn plain(value: Setting) -> Choice {
    Choice { value, family: None }
}

const fn idea(value: Setting, family: Family) -> Choice {
    Choice { value, family: Some(family) }
}

use Setting::{Count, Flag, Number, Text};

/// The space: every gene in the order of a recipe's sections. A dozen evaluations can't tell forty choices apart, so of all that a recipe
/// may say these are what was good on one of the development worlds that ship; the rest is there for people to compose.
pub const GENES: &[Gene] = &[
    Gene {
        section: "label",
        key: "source",
        choices: &[
            plain(Text("weak")),
            idea(Text("posterior"), Family::ConfidenceWeighting),
            idea(Text("zero-shot"), Family::UnsupervisedElicitation),
            idea(Text("self"), Family::SelfTraining),
            idea(Text("probe"), Family::ModelInternal),
            idea(Text("coherence"), Family::UnsupervisedElicitation),
        ],
    },
    Gene { section: "label", key: "form", choices: &[plain(Text("hard")), idea(Text("soft"), Family::Distillation)] },
    Gene {
        section: "select",
        key: "rule",
        choices: &[
            plain(Text("all")),
            idea(Text("confident"), Family::DataFiltering),
            idea(Text("agree"), Family::DataFiltering),
            idea(Text("confident-learning"), Family::DataFiltering),
        ],
    },
    Gene {
        section: "weight",
        key: "rule",
        choices: &[
            plain(Text("none")),
            idea(Text("confidence"), Family::ConfidenceWeighting),
            idea(Text("agreement"), Family::UnsupervisedElicitation),
            idea(Text("residual"), Family::DataFiltering),
        ],
    },
    Gene {
        section: "objective",
        key: "kind",
        choices: &[
            plain(Text("finetune")),
            idea(Text("head"), Family::ModelInternal),
            idea(Text("means"), Family::ModelInternal),
        ],
    },
    Gene {
        section: "objective",
        key: "loss",
        choices: &[plain(Text("xent")), idea(Text("confidence"), Family::LossFunction)],
    },
    Gene {
        section: "objective",
        key: "label_smoothing",
        choices: &[
            plain(Number(0.0)),
            idea(Number(0.1), Family::LossFunction),
            idea(Number(0.2), Family::LossFunction),
        ],
    },
    Gene { section: "schedule", key: "swap_augment", choices: &[plain(Flag(false)), idea(Flag(true), Family::Other)] },
    Gene {
        section: "inference",
        key: "orders",
        choices: &[plain(Text("single")), idea(Text("both"), Family::Ensemble)],
    },
    Gene {
        section: "inference",
        key: "members",
        choices: &[plain(Count(1)), idea(Count(2), Family::Ensemble), idea(Count(3), Family::Ensemble)],
    },
];

/// The genome of plain training.
pub fn plain_genome() -> Genome {
    vec![0; GENES.len()]
}

/// Every genome, plain training first: 41,472 of them.
pub fn all() -> impl Iterator<Item = Genome> {
    let next = |genome: &Genome| {
        let mut next = genome.clone();
        for (choice, gene) in next.iter_mut().zip(GENES).rev() {
            *choice += 1;
            if usize::from(*choice) < gene.choices.len() {
                return Some(next);
            }
            *choice = 0;
        }
        None
    };
    std::iter::successors(Some(plain_genome()), next)
}

/// A recipe's text. The family is that of the choice with the rarest use, here simply the last one that is not plain.
pub fn recipe(genome: &Genome, name: &str) -> String {
    let mut document = Table::new();
    document.insert("name".into(), Value::String(name.into()));
    document.insert("family".into(), Value::String(family(genome).name().into()));
    for (gene, &index) in GENES.iter().zip(genome) {
        let section = document.entry(gene.section).or_insert_with(|| Value::Table(Table::new()));
        if let (Value::Table(section), true) = (section, index > 0) {
            section.insert(gene.key.into(), to_value(gene.choices[usize::from(index)].value));
        }
    }
    document.retain(|_, value| !matches!(value, Value::Table(section) if section.is_empty()));
    toml::to_string(&document).unwrap_or_default()
}

/// Read a recipe back. Keys the space does not know are dropped: what is built on it is a relative, not a copy.
pub fn read(recipe: &str) -> Option<Genome> {
    let document: Table = recipe.parse().ok()?;
    let index = |gene: &Gene| {
        let value = document.get(gene.section)?.as_table()?.get(gene.key)?;
        let same = |choice: &Choice| matches(choice.value, value);
        gene.choices.iter().position(same).or_else(|| nearest(gene, value))
    };
    Some(GENES.iter().map(|gene| index(gene).unwrap_or(0) as u8).collect())
}

/// The genome that does what a recipe does; `None` where the space has none, and [`read`] gives a relative.
pub fn exact(recipe: &Recipe, text: &str) -> Option<Genome> {
    let genome = read(text)?;
    let own = Recipe::parse(&self::recipe(&genome, "own"), Path::new("own")).ok()?;
    (own.effective() == recipe.effective()).then_some(genome)
}

/// The family a genome is filed under: that of its first idea, plain training being `other`.
pub fn family(genome: &Genome) -> Family {
    ideas(genome).next().unwrap_or(Family::Other)
}

/// The families of a genome's choices, in the order of the genes.
pub fn ideas(genome: &Genome) -> impl Iterator<Item = Family> + '_ {
    GENES.iter().zip(genome).filter_map(|(gene, &index)| gene.choices[usize::from(index)].family)
}

/// A short name for people: what differs from plain training.
pub fn describe(genome: &Genome) -> String {
    let parts: Vec<String> = GENES
        .iter()
        .zip(genome)
        .filter(|&(_, &index)| index > 0)
        .map(|(gene, &index)| match gene.choices[usize::from(index)].value {
            Text(text) => match (gene.section, gene.key) {
                ("label", "source") => format!("{text} labels"),
                ("label", "form") => format!("{text} labels"),
                ("select", _) => format!("{text} rows"),
                ("weight", _) => format!("{text} weights"),
                ("objective", "kind") => format!("{text} readout"),
                ("objective", "loss") => format!("{text} loss"),
                ("inference", "orders") => format!("{text} orders"),
                _ => text.to_owned(),
            },
            Count(count) => format!("{count} {}", gene.key),
            Number(number) => format!("{} {number}", gene.key.replace('_', " ")),
            Flag(_) => gene.key.replace('_', " "),
        })
        .collect();
    if parts.is_empty() { "plain".to_owned() } else { parts.join(" + ") }
}

fn to_value(setting: Setting) -> Value {
    match setting {
        Text(text) => Value::String(text.into()),
        Count(count) => Value::Integer(count),
        Number(number) => Value::Float(number),
        Flag(flag) => Value::Boolean(flag),
    }
}

fn matches(setting: Setting, value: &Value) -> bool {
    to_value(setting) == *value
}

/// For numbers: the choice closest to another author's value.
fn nearest(gene: &Gene, value: &Value) -> Option<usize> {
    let target = value.as_float().or_else(|| value.as_integer().map(|count| count as f64))?;
    let distance = |choice: &Choice| match choice.value {
        Number(number) => (number - target).abs(),
        Count(count) => (count as f64 - target).abs(),
        _ => f64::INFINITY,
    };
    (0..gene.choices.len()).min_by(|&a, &b| distance(&gene.choices[a]).total_cmp(&distance(&gene.choices[b])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_genome_survives_the_way_through_its_recipe() {
        for gene in 0..GENES.len() {
            for choice in 0..GENES[gene].choices.len() {
                let mut genome = plain_genome();
                genome[gene] = choice as u8;
                assert_eq!(read(&recipe(&genome, "x")), Some(genome));
            }
        }
    }

    #[test]
    fn all_are_there_once() {
        let all: std::collections::BTreeSet<Genome> = all().collect();
        assert_eq!((all.len(), super::all().count()), (41_472, 41_472));
    }

    #[test]
    fn a_relative_is_not_the_same() {
        let exact = |name: &str| {
            let text = crate::shipped::text(name).unwrap();
            exact(&crate::shipped::get(name).unwrap().unwrap(), text)
        };
        assert_eq!(exact("plain"), Some(plain_genome()));
        assert_eq!(exact("both-orders").map(|genome| describe(&genome)).as_deref(), Some("both orders"));
        assert_eq!(exact("mean-difference").map(|genome| describe(&genome)).as_deref(), Some("means readout"));
        assert_eq!(exact("co-teaching"), None);
    }

    #[test]
    fn unknown_values_are_read_as_the_nearest() {
        let genome = read("[inference]\nmembers = 7\norders = \"sideways\"\n[other]\nx = 1").unwrap();
        assert_eq!(describe(&genome), "3 members");
    }
}
