//! Objectives by the ids of BtrPlace.

use crate::format::Context;
use crate::format::field::fields;
use crate::format::field::required;
use crate::format::field::skip_others;
use crate::format::nearest::hint;
use crate::format::reader::Parsed;
use crate::format::reader::Reader;
use crate::format::reader::fault;
use crate::format::reader::quoted;
use crate::format::rule::Catalog;
use crate::format::rule::Dialect;
use crate::objective::Metric;
use crate::objective::Objective;

/// The ids, and one more name under which BtrPlace prints the second.
pub(super) const IDS: [&str; 4] =
    ["minimizeMTTR", "minimizeMigrations", "minimizeMTTRMigrationScheduling", "minMigrations"];

fn named(id: &str) -> Option<Objective> {
    match id {
        "minimizeMTTR" => Some(Objective::default()),
        "minimizeMigrations" | "minMigrations" => Some(Objective::single(Metric::RelocationTime)),
        "minimizeMTTRMigrationScheduling" => Some(Objective::single(Metric::Mttr)),
        _ => None,
    }
}

/// The id of an objective, if it has one.
pub(super) fn id(objective: &Objective) -> Option<&'static str> {
    IDS.into_iter().find(|id| named(id).as_ref() == Some(objective))
}

pub(super) fn read(reader: &mut Reader<'_>, context: &mut Context) -> Parsed<Objective> {
    let start = reader.here();
    let fields = fields(reader, "an objective: an object with the key `id`")?;
    let id = required(&fields, "id", start)?;
    let at = id.span.start;
    let id = id.read(reader, |reader| reader.text_value("the id of an objective"))?;
    skip_others(reader, &fields, &["id"])?;
    if let Some(objective) = named(&id) {
        return Ok(objective);
    }
    if Catalog::new(Dialect::BtrPlace).get(&id).is_some() {
        return fault(at, format!("expected the id of an objective, found the constraint {}", quoted(&id)));
    }
    context.tolerate("unknown objectives, read as `minimizeMTTR`", at, || {
        format!("no objective has the id {}{}", quoted(&id), hint(&id, IDS))
    })?;
    Ok(Objective::default())
}
