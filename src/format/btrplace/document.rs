//! The document: model, constraints, objective.

use super::model;
use super::model::Model;
use super::objective;
use crate::constraint::Constraint;
use crate::format::Context;
use crate::format::field::Field;
use crate::format::field::needed;
use crate::format::field::once;
use crate::format::field::required;
use crate::format::nearest::hint;
use crate::format::reader::Parsed;
use crate::format::reader::Reader;
use crate::format::reader::fault;
use crate::format::reader::quoted;
use crate::format::rule;
use crate::format::rule::Catalog;
use crate::format::rule::Dialect;
use crate::format::rule::Memo;
use crate::model::Instance;
use crate::objective::Objective;
use std::borrow::Cow;

/// Reads an instance up to the end of the text.
pub(in crate::format) fn instance(reader: &mut Reader<'_>, context: &mut Context) -> Parsed<Instance> {
    let start = reader.here();
    let mut model: Option<Model> = None;
    let mut constraints: Option<Vec<Constraint>> = None;
    let mut waiting: Option<Field<'_>> = None;
    let mut objective: Option<Objective> = None;
    reader.object("an instance: an object with the key `model`")?;
    while let Some(key) = reader.key()? {
        match key.as_ref() {
            "model" => {
                once(&model, "model", reader)?;
                model = Some(model::read(reader, &[], context)?);
            }
            "constraints" => {
                once(&constraints, "constraints", reader)?;
                once(&waiting, "constraints", reader)?;
                match &model {
                    Some(model) => constraints = Some(read_constraints(reader, model, context)?),
                    // They speak of what the model declares.
                    None => {
                        let key_at = reader.key_at();
                        let span = reader.span()?;
                        waiting = Some(Field { key: Cow::Borrowed("constraints"), key_at, span, memo: None });
                    }
                }
            }
            "objective" => {
                once(&objective, "objective", reader)?;
                objective = Some(objective::read(reader, context)?);
            }
            _ => reader.skip()?,
        }
    }
    reader.end()?;
    let model = needed(model, "model", start)?;
    if let Some(field) = waiting {
        constraints = Some(field.read(reader, |reader| read_constraints(reader, &model, context))?);
    }
    let constraints = match constraints {
        Some(constraints) => constraints,
        None => {
            context.missing("constraints", start)?;
            Vec::new()
        }
    };
    let objective = match objective {
        Some(objective) => objective,
        None => {
            context.missing("objective", start)?;
            Objective::default()
        }
    };
    let instance = Instance { constraints, objective, ..model.instance };
    let instance = model::checked(reader, start, "model", instance)?;
    model::note_misspelt(reader, &instance, context);
    Ok(instance)
}

fn read_constraints<'a>(
    reader: &mut Reader<'a>,
    model: &Model,
    context: &mut Context,
) -> Parsed<Vec<Constraint>> {
    let catalog = Catalog::new(Dialect::BtrPlace);
    let names = model.names();
    let mut memo = Memo::default();
    let mut fields = Vec::new();
    let mut constraints = Vec::new();
    reader.array("an array of constraints")?;
    while reader.element()? {
        let start = reader.here();
        reader.object("a constraint: an object with the key `id`")?;
        memo.fields(reader, &mut fields)?;
        let id = required(&fields, "id", start)?;
        let (at, id) =
            (id.span.start, id.read(reader, |reader| reader.text_value("the id of a constraint"))?);
        let entry = match catalog.get(&id) {
            Some(entry) => entry,
            None => match unknown(&catalog, &id, at, context)? {
                Some(entry) => entry,
                None => {
                    crate::format::field::skip_others(reader, &fields, &["id"])?;
                    continue;
                }
            },
        };
        constraints.push(rule::constraint(
            Dialect::BtrPlace,
            entry,
            reader,
            start,
            &fields,
            &mut memo,
            &names,
            context,
        )?);
    }
    Ok(constraints)
}

/// What an unknown id may stand for, when that is tolerated.
fn unknown<'c>(
    catalog: &'c Catalog,
    id: &str,
    at: usize,
    context: &mut Context,
) -> Parsed<Option<&'c rule::Entry>> {
    if objective::IDS.contains(&id) {
        return fault(at, format!("expected the id of a constraint, found the objective {}", quoted(id)));
    }
    let near = hint(id, catalog.names());
    let other_case = catalog.names().find(|name| name.eq_ignore_ascii_case(id));
    match other_case.and_then(|name| catalog.get(name).map(|entry| (name, entry))) {
        Some((name, entry)) => {
            context.tolerate("ids in another case", at, || {
                format!("no constraint has the id {}; it is written {}", quoted(id), quoted(name))
            })?;
            Ok(Some(entry))
        }
        None => {
            context.tolerate("unknown constraints, left out", at, || {
                format!("no constraint has the id {}{near}", quoted(id))
            })?;
            Ok(None)
        }
    }
}
