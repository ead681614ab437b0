//! Tables over VMs and nodes that both formats fill.

use super::nearest::hint;
use super::reader::Parsed;
use super::reader::fault;
use super::reader::quoted;
use crate::model::Elements;
use crate::model::Instance;
use crate::model::InstanceBuilder;
use crate::model::Resource;
use crate::model::ResourceId;
use rustc_hash::FxHashMap;
use std::collections::HashMap;

/// The most amounts (resources × VMs and nodes) that are kept: 512 MiB of them. A short
/// document could ask for any number by declaring many of both.
const MOST_AMOUNTS: usize = 1 << 26;

/// The most resources, however few VMs and nodes there are.
const MOST_RESOURCES: usize = 1 << 12;

/// Names one after the other; `None` where they are too long together.
pub(super) fn elements<'n>(names: impl Iterator<Item = &'n str> + Clone) -> Option<Elements> {
    let total: usize = names.clone().map(str::len).sum();
    if u32::try_from(total).is_err() {
        return None;
    }
    let mut elements = Elements::default();
    for name in names {
        elements.push(name);
    }
    Some(elements)
}

/// Refuses more resources than can be kept for that many VMs and nodes.
pub(super) fn check_amounts(resources: usize, elements: usize, at: usize) -> Parsed<()> {
    if resources > MOST_RESOURCES {
        return fault(at, format!("expected at most {MOST_RESOURCES} resources, found {resources}"));
    }
    if resources.saturating_mul(elements) > MOST_AMOUNTS {
        return fault(
            at,
            format!(
                "{resources} resources for {elements} VMs and nodes are more than {MOST_AMOUNTS} amounts"
            ),
        );
    }
    Ok(())
}

/// Refuses amounts whose sum might overflow later. `at` is where they are given.
pub(super) fn check_sums(resource: &Resource, at: usize) -> Parsed<()> {
    for (what, amounts) in [("capacities", &resource.capacity), ("demands", &resource.demand)] {
        let sum = amounts.iter().try_fold(0u64, |sum, &amount| sum.checked_add(amount));
        if sum.is_none_or(|sum| sum > InstanceBuilder::LARGEST_SUM) {
            let (name, most) = (quoted(&resource.name), InstanceBuilder::LARGEST_SUM);
            return fault(at, format!("the {what} of resource {name} add up to more than {most}"));
        }
    }
    Ok(())
}

/// The resources of an instance by their names, for many questions.
pub(super) fn resources_by_name(instance: &Instance) -> HashMap<&str, ResourceId> {
    instance.resource_ids().map(|resource| (instance.resource_name(resource), resource)).collect()
}

/// The resource of a name among them.
pub(super) fn resource(
    by_name: &HashMap<&str, ResourceId>,
    instance: &Instance,
    name: &str,
    at: usize,
) -> Parsed<ResourceId> {
    match by_name.get(name) {
        Some(&resource) => Ok(resource),
        None => {
            let names = instance.resources().iter().map(|resource| resource.name.as_str());
            fault(at, format!("there is no resource {}{}", quoted(name), hint(name, names)))
        }
    }
}

/// Puts the allocations of an action in order; the place of one given twice, if any is.
pub(super) fn in_order(mut given: Vec<(ResourceId, u64, usize)>) -> Result<Vec<(ResourceId, u64)>, usize> {
    given.sort_unstable_by_key(|allocation| (allocation.0, allocation.2));
    if let Some(pair) = given.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(pair[1].2);
    }
    Ok(given.into_iter().map(|(resource, amount, _)| (resource, amount)).collect())
}

/// Running sums over a plan: whoever adds its figures up later cannot overflow.
#[derive(Debug, Default)]
pub(super) struct Totals {
    ends: u64,
    amounts: u64,
}

impl Totals {
    /// An action ends then.
    pub(super) fn end(&mut self, end: u64, at: usize) -> Parsed<()> {
        Self::add(&mut self.ends, end, "moments", at)
    }

    /// An action allocates that much.
    pub(super) fn amount(&mut self, amount: u64, at: usize) -> Parsed<()> {
        Self::add(&mut self.amounts, amount, "amounts", at)
    }

    fn add(sum: &mut u64, value: u64, what: &str, at: usize) -> Parsed<()> {
        let most = InstanceBuilder::LARGEST_SUM;
        *sum = sum.saturating_add(value);
        if *sum > most {
            return fault(at, format!("the {what} of the plan add up to more than {most}"));
        }
        Ok(())
    }
}

/// Switches or links by their numbers, in the order in which they are given.
#[derive(Debug, Default)]
pub(super) struct Positions(FxHashMap<u32, u32>);

impl Positions {
    /// The next one has this number.
    pub(super) fn add(&mut self, number: u32, kind: &str, at: usize) -> Parsed<()> {
        let position = self.0.len() as u32;
        match self.0.insert(number, position) {
            None => Ok(()),
            Some(_) => fault(at, format!("{kind} {number} is given twice")),
        }
    }

    /// The position of a number that must have been given.
    pub(super) fn get(&self, number: u32, kind: &str, at: usize) -> Parsed<u32> {
        match self.0.get(&number) {
            Some(&position) => Ok(position),
            None => fault(at, format!("there is no {kind} {number}")),
        }
    }
}

/// The integers of the VMs (or of the nodes) of a BtrPlace document, ascending; the
/// position of a number is the dense id.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbering {
    numbers: Vec<u32>,
    /// By number, where the numbers are dense enough; `u32::MAX` where there is none.
    table: Vec<u32>,
}

impl Numbering {
    /// Of ascending numbers without duplicates.
    pub(super) fn new(numbers: Vec<u32>) -> Self {
        let mut table = Vec::new();
        if let Some(&last) = numbers.last()
            && (last as usize) < 4 * numbers.len() + 1024
        {
            table = vec![u32::MAX; last as usize + 1];
            for (at, &number) in numbers.iter().enumerate() {
                table[number as usize] = at as u32;
            }
        }
        Self { numbers, table }
    }

    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// The dense id of a number.
    pub(super) fn get(&self, number: u32) -> Option<u32> {
        if self.table.is_empty() {
            return self.numbers.binary_search(&number).ok().map(|at| at as u32);
        }
        self.table.get(number as usize).copied().filter(|&at| at != u32::MAX)
    }

    pub(super) fn numbers(&self) -> &[u32] {
        &self.numbers
    }

    /// The numbers for [`Elements`]: nothing where they are 0, 1, 2, …
    pub(super) fn kept(&self) -> Option<Vec<u32>> {
        let plain = self.numbers.iter().enumerate().all(|(at, &number)| at as u32 == number);
        if plain { None } else { Some(self.numbers.clone()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_may_be_sparse() {
        let dense = Numbering::new(vec![0, 1, 2]);
        assert_eq!((dense.get(2), dense.get(3), dense.kept()), (Some(2), None, None));
        let sparse = Numbering::new(vec![7, 4_294_967_295]);
        assert_eq!((sparse.get(7), sparse.get(8), sparse.get(u32::MAX)), (Some(0), None, Some(1)));
        assert_eq!(sparse.kept(), Some(vec![7, u32::MAX]));
        assert_eq!(Numbering::new(Vec::new()).get(0), None);
    }
}
