//! Independent parts of a problem: they share no bin, no sum and no order.
//!
//! Bins belong together when one item may ever be in both; items, bins and tasks when a
//! relation or an order speaks of them together. Relations that ask each bin alone (at
//! most so many in each bin, apart, exclusive, avoid) tie nothing: two items that never meet
//! cannot break them. Moves that may take the same channel on their way belong together, too.
//! Each part is a problem of its own with dense numbers; what is found out about it is told in
//! the numbers of the whole.

mod section;

use super::Answer;
use super::Proof;
use super::presolve::Analysis;
use crate::objective::Objective;
use crate::outcome::StopReason;
use crate::problem::BitSet;
use crate::problem::NONE;
use crate::problem::Order;
use crate::problem::Packing;
use crate::problem::Partition;
use crate::problem::Problem;
use crate::problem::Relation;
use crate::problem::RelationKind;
use crate::problem::Role;
use crate::problem::Step;
use crate::problem::StepKind;
use crate::problem::TaskRef;
use crate::propagator::Block;
use petgraph::unionfind::UnionFind;
use rustc_hash::FxHashMap;
use section::Section;
use std::sync::Arc;

/// Ways between bins that are looked at to learn which moves may meet.
const MOST_WAYS: u64 = 1 << 18;

/// A part, and its numbers in the whole.
#[derive(Clone, Debug)]
pub struct Part {
    /// The part as a problem.
    pub problem: Problem,
    /// By item of the part.
    items: Vec<u32>,
    /// By bin of the part.
    bins: Vec<u32>,
    /// By relation of the part.
    relations: Vec<u32>,
    /// By task without a place of the part.
    extras: Vec<u32>,
}

/// The parts of a problem, by their first bin; what cannot change is one part together.
/// `None` where the problem is one. O(size of the problem).
pub fn split(problem: &Problem) -> Option<Vec<Part>> {
    let packing = &problem.packing;
    let (bins, items) = (packing.bins.len(), packing.items.len());
    let mobile = |item: u32| {
        let row = &packing.items[item as usize];
        match row.role {
            Role::Stay => !row.pinned,
            Role::Arrive => true,
            // What it leaves behind may have to be brought elsewhere first.
            Role::Depart => row.image && !row.pinned,
        }
    };
    let mut roams = vec![false; packing.domains.len()];
    for item in (0..items as u32).filter(|&item| mobile(item)) {
        let row = &packing.items[item as usize];
        roams[row.domain as usize] |= row.role != Role::Depart;
        roams[row.route as usize] = true;
    }
    let whole = |(domain, roams): (&BitSet, &bool)| *roams && domain.is_full();
    let survive =
        packing.relations.iter().any(|relation| matches!(relation.kind, RelationKind::Survive { .. }));
    if bins < 2 || survive || packing.domains.iter().zip(&roams).any(whole) {
        return None;
    }

    // Bins, then items, then tasks without a place, then channels.
    let item_at = |item: u32| bins + item as usize;
    let extra_at = |extra: u32| bins + items + extra as usize;
    let first_channel = bins + items + problem.project.extras.len();
    let channel_at = |channel: u32| first_channel + channel as usize;
    let channels = problem.project.transit.as_ref().map_or(0, |transit| transit.capacities().len());
    let mut union = UnionFind::<usize>::new(first_channel + channels);
    let tie = |union: &mut UnionFind<usize>, members: &mut dyn Iterator<Item = usize>| {
        if let Some(first) = members.next() {
            members.for_each(|other| {
                union.union(first, other);
            });
        }
    };
    for (domain, _) in packing.domains.iter().zip(&roams).filter(|(_, roams)| **roams) {
        tie(&mut union, &mut domain.iter().map(|bin| bin as usize));
    }
    for (item, row) in (0u32..).zip(&packing.items) {
        let roamed = if mobile(item) { [row.domain, row.route] } else { [NONE; 2] };
        let roamed = roamed.into_iter().filter(|&domain| domain != NONE);
        let first_bins = roamed.filter_map(|domain| packing.domains[domain as usize].iter().next());
        let own = [row.source, row.anchor].into_iter().filter(|&bin| bin != NONE);
        tie(
            &mut union,
            &mut std::iter::once(item_at(item)).chain(own.chain(first_bins).map(|bin| bin as usize)),
        );
    }
    for (extra, row) in (0u32..).zip(&problem.project.extras).filter(|(_, row)| row.anchor != NONE) {
        union.union(extra_at(extra), row.anchor as usize);
    }
    for relation in &packing.relations {
        match &relation.kind {
            RelationKind::AtMost { items, partition, .. } if *partition != NONE => {
                tie(&mut union, &mut items.iter().map(|&item| item_at(item)));
            }
            RelationKind::AtMost { .. }
            | RelationKind::Apart { .. }
            | RelationKind::Exclusive { .. }
            | RelationKind::Avoid { .. }
            | RelationKind::Survive { .. } => {}
            RelationKind::SameGroup { items, .. } => {
                tie(&mut union, &mut items.iter().map(|&item| item_at(item)));
            }
            RelationKind::GroupsApart { items, .. } => {
                tie(&mut union, &mut items.iter().map(|&(item, _)| item_at(item)));
            }
            RelationKind::Load { bins, .. } | RelationKind::Count { bins, .. } => {
                tie(&mut union, &mut bins.iter().map(|bin| bin as usize));
            }
            RelationKind::Powered { bins, .. } => {
                tie(&mut union, &mut bins.iter().map(|bin| bin as usize));
            }
        }
    }
    for (order, _) in &problem.project.orders {
        match order {
            Order::Sequence(tasks) => tie(
                &mut union,
                &mut tasks.iter().map(|task| match *task {
                    TaskRef::Item(item) => item_at(item),
                    TaskRef::Extra(extra) => extra_at(extra),
                }),
            ),
            Order::Precedence(first, then) => {
                union.union(item_at(*first), item_at(*then));
            }
            Order::Serialize(items) => tie(&mut union, &mut items.iter().map(|&item| item_at(item))),
            Order::Sync(items) => tie(&mut union, &mut items.iter().map(|&(item, _)| item_at(item))),
            Order::NoDelay(_) | Order::NoDelayExtra(_) | Order::Deadline(..) => {}
        }
    }
    if let Some(transit) = &problem.project.transit {
        // Moves meet on their way between bins that have nothing else to do with each other.
        let mut budget = MOST_WAYS;
        for (bins, items) in travels(packing, mobile) {
            let met = transit.among(&items, &bins, &mut budget)?;
            tie(&mut union, &mut bins.iter().map(|bin| bin as usize).chain(met.into_iter().map(channel_at)));
        }
        for bin in 0..bins as u32 {
            let drawn = transit.standing(bin).iter().map(|&(channel, _)| channel_at(channel));
            tie(&mut union, &mut std::iter::once(bin as usize).chain(drawn));
        }
    }

    // Roots with something mobile are parts; all others together are one.
    let root = union.into_labeling();
    let mut moves = vec![false; root.len()];
    (0..items as u32).filter(|&item| mobile(item)).for_each(|item| moves[root[item_at(item)]] = true);
    let key = |root: usize| if moves[root] { root } else { usize::MAX };
    let mut number: FxHashMap<usize, u32> = FxHashMap::default();
    let (root, root_of_channel) = root.split_at(first_channel);
    let part_of: Vec<u32> = root
        .iter()
        .map(|&root| {
            let next = number.len() as u32;
            *number.entry(key(root)).or_insert(next)
        })
        .collect();
    if number.len() < 2 {
        return None;
    }
    let mut parts = Numbering::new(&part_of, number.len(), bins, items).parts(problem);
    if let Some(transit) = &problem.project.transit {
        let mut own = vec![Vec::new(); parts.len()];
        for (channel, &root) in (0..).zip(root_of_channel) {
            if let Some(&part) = number.get(&key(root)) {
                own[part as usize].push(channel);
            }
        }
        for (part, channels) in parts.iter_mut().zip(own) {
            let section = Section::new(transit.clone(), &part.items, &part.bins, channels);
            part.problem.project.transit = Some(Arc::new(section));
        }
    }
    Some(parts)
}

/// The sets of bins among which items move, each with these items.
fn travels(packing: &Packing, mobile: impl Fn(u32) -> bool) -> Vec<(BitSet, Vec<u32>)> {
    let mut found: FxHashMap<(u32, u32, u32), usize> = FxHashMap::default();
    let mut sets: Vec<(BitSet, Vec<u32>)> = Vec::new();
    for (item, row) in (0u32..).zip(&packing.items).filter(|&(item, _)| mobile(item)) {
        let domains = [row.domain, row.route].map(|domain| &packing.domains[domain as usize]);
        let is_outside = row.source != NONE && !domains.iter().any(|bins| bins.contains(row.source));
        let key = (row.domain, row.route, if is_outside { row.source } else { NONE });
        let at = *found.entry(key).or_insert_with(|| {
            let mut bins = domains[0].clone();
            domains[1].iter().chain(is_outside.then_some(row.source)).for_each(|bin| {
                bins.insert(bin);
            });
            sets.push((bins, Vec::new()));
            sets.len() - 1
        });
        sets[at].1.push(item);
    }
    sets
}

/// Which part everything belongs to, and its number there.
struct Numbering {
    /// By bin, item and task of the whole: (part, number).
    bins: Vec<(u32, u32)>,
    items: Vec<(u32, u32)>,
    extras: Vec<(u32, u32)>,
    parts: usize,
}

impl Numbering {
    fn new(part_of: &[u32], parts: usize, bins: usize, items: usize) -> Self {
        let number = |part_of: &[u32]| -> Vec<(u32, u32)> {
            let mut next = vec![0u32; parts];
            let count = |&part: &u32| {
                let at = &mut next[part as usize];
                *at += 1;
                (part, *at - 1)
            };
            part_of.iter().map(count).collect()
        };
        Self {
            bins: number(&part_of[..bins]),
            items: number(&part_of[bins..bins + items]),
            extras: number(&part_of[bins + items..]),
            parts,
        }
    }

    fn parts(&self, problem: &Problem) -> Vec<Part> {
        let packing = &problem.packing;
        let empty = || Part {
            problem: Problem {
                packing: Packing { dims: packing.dims, ..Packing::default() },
                project: crate::problem::Project { horizon: problem.project.horizon, ..Default::default() },
            },
            items: Vec::new(),
            bins: Vec::new(),
            relations: Vec::new(),
            extras: Vec::new(),
        };
        let mut parts: Vec<Part> = (0..self.parts).map(|_| empty()).collect();
        let dims = packing.dims;
        for (bin, &(part, _)) in self.bins.iter().enumerate() {
            let part = &mut parts[part as usize];
            part.bins.push(bin as u32);
            let own = &mut part.problem.packing;
            own.bins.push(packing.bins[bin]);
            own.anchored.push(packing.anchored[bin]);
            let row = bin * dims..(bin + 1) * dims;
            own.capacity_then.extend(&packing.capacity_then[row.clone()]);
            own.capacity_now.extend(&packing.capacity_now[row.clone()]);
            own.capacity_own.extend(&packing.capacity_own[row]);
        }
        // The first domain of each part is everything.
        let mut domain_of: FxHashMap<(u32, u32), u32> = FxHashMap::default();
        for part in &mut parts {
            part.problem.packing.domains.push(BitSet::full(part.bins.len()));
        }
        for (item, &(at, _)) in self.items.iter().enumerate() {
            let part = &mut parts[at as usize];
            part.items.push(item as u32);
            let mut row = packing.items[item];
            for domain in [&mut row.domain, &mut row.route] {
                *domain = *domain_of.entry((at, *domain)).or_insert_with(|| {
                    let own = self.bins_in(at, &part.bins, &packing.domains[*domain as usize]);
                    if own.is_full() {
                        return 0;
                    }
                    let domains = &mut part.problem.packing.domains;
                    domains.push(own);
                    domains.len() as u32 - 1
                });
            }
            for bin in [&mut row.source, &mut row.anchor] {
                if *bin != NONE {
                    *bin = self.bins[*bin as usize].1;
                }
            }
            let own = &mut part.problem.packing;
            own.items.push(row);
            own.size_now.extend(packing.now(item as u32));
            own.size_then.extend(packing.then(item as u32));
        }
        for (extra, &(part, _)) in self.extras.iter().enumerate() {
            let mut row = problem.project.extras[extra];
            if row.anchor != NONE {
                row.anchor = self.bins[row.anchor as usize].1;
            }
            parts[part as usize].extras.push(extra as u32);
            parts[part as usize].problem.project.extras.push(row);
        }
        self.add_relations(packing, &mut parts);
        for (order, cause) in &problem.project.orders {
            if let Some((part, order)) = self.order(order) {
                parts[part as usize].problem.project.orders.push((order, *cause));
            }
        }
        for part in &mut parts {
            part.problem.packing.index_relations();
        }
        parts
    }

    /// The bins of a set that are in a part, in the numbers of the part.
    fn bins_in(&self, part: u32, members: &[u32], bins: &BitSet) -> BitSet {
        let mut own = BitSet::empty(members.len());
        if bins.is_full() {
            return BitSet::full(members.len());
        }
        for bin in members.iter().filter(|&&bin| bins.contains(bin)) {
            debug_assert_eq!(self.bins[*bin as usize].0, part);
            own.insert(self.bins[*bin as usize].1);
        }
        own
    }

    fn add_relations(&self, packing: &Packing, parts: &mut [Part]) {
        let mut partition_of: FxHashMap<(u32, u32), u32> = FxHashMap::default();
        for (at, relation) in packing.relations.iter().enumerate() {
            // Members by part: (part, number there, what the relation says about it).
            let mut rows: Vec<(u32, u32, u32)> = match &relation.kind {
                RelationKind::AtMost { items, .. }
                | RelationKind::SameGroup { items, .. }
                | RelationKind::Exclusive { items }
                | RelationKind::Avoid { items, .. } => items
                    .iter()
                    .map(|&item| self.items[item as usize])
                    .map(|(part, item)| (part, item, 0))
                    .collect(),
                RelationKind::Apart { items } | RelationKind::GroupsApart { items, .. } => items
                    .iter()
                    .map(|&(item, side)| (self.items[item as usize], side))
                    .map(|((part, item), side)| (part, item, side))
                    .collect(),
                RelationKind::Powered { bins, .. } => {
                    bins.iter().map(|bin| self.bins[bin as usize]).map(|(part, bin)| (part, bin, 0)).collect()
                }
                RelationKind::Load { bins, .. }
                | RelationKind::Count { bins, .. }
                | RelationKind::Survive { bins, .. } => {
                    bins.iter().map(|bin| self.bins[bin as usize]).map(|(part, bin)| (part, bin, 0)).collect()
                }
            };
            rows.sort_unstable();
            for rows in rows.chunk_by(|a, b| a.0 == b.0) {
                let number = rows[0].0;
                let part = &mut parts[number as usize];
                let plain = || rows.iter().map(|row| row.1).collect::<Vec<u32>>();
                let sided = || rows.iter().map(|row| (row.1, row.2)).collect::<Vec<(u32, u32)>>();
                let own_bins = |bins: &BitSet| self.bins_in(number, &part.bins, bins);
                let mut own_partition = |partition: u32| {
                    if partition == NONE {
                        return NONE;
                    }
                    *partition_of.entry((number, partition)).or_insert_with(|| {
                        let from = &packing.partitions[partition as usize];
                        let group_of = part.bins.iter().map(|&bin| from.group_of[bin as usize]).collect();
                        let own = &mut part.problem.packing.partitions;
                        own.push(Partition { group_of, groups: from.groups });
                        own.len() as u32 - 1
                    })
                };
                let kind = match &relation.kind {
                    RelationKind::AtMost { most, partition, .. } => RelationKind::AtMost {
                        items: plain(),
                        most: *most,
                        partition: own_partition(*partition),
                    },
                    RelationKind::SameGroup { partition, .. } => {
                        RelationKind::SameGroup { items: plain(), partition: own_partition(*partition) }
                    }
                    RelationKind::Apart { .. } => RelationKind::Apart { items: sided() },
                    RelationKind::Exclusive { .. } => RelationKind::Exclusive { items: plain() },
                    RelationKind::GroupsApart { partition, .. } => {
                        RelationKind::GroupsApart { items: sided(), partition: own_partition(*partition) }
                    }
                    RelationKind::Avoid { bins, .. } => {
                        RelationKind::Avoid { items: plain(), bins: own_bins(bins) }
                    }
                    RelationKind::Load { bins, dim, limit } => {
                        RelationKind::Load { bins: own_bins(bins), dim: *dim, limit: *limit }
                    }
                    RelationKind::Count { bins, limit } => {
                        RelationKind::Count { bins: own_bins(bins), limit: *limit }
                    }
                    RelationKind::Powered { bins, limit } => {
                        let bins = bins.part(own_bins(bins.bins()), &part.bins);
                        RelationKind::Powered { bins, limit: *limit }
                    }
                    RelationKind::Survive { bins, failures, mode } => {
                        RelationKind::Survive { bins: own_bins(bins), failures: *failures, mode: *mode }
                    }
                };
                part.relations.push(at as u32);
                part.problem.packing.relations.push(Relation { kind, ..*relation });
            }
        }
    }

    /// The part that an order speaks of, and the order in its numbers.
    fn order(&self, order: &Order) -> Option<(u32, Order)> {
        let item = |item: &u32| self.items[*item as usize];
        let all = |items: &[u32]| items.iter().map(|it| item(it).1).collect::<Vec<u32>>();
        Some(match order {
            Order::Sequence(tasks) => {
                let own = |task: &TaskRef| match task {
                    TaskRef::Item(it) => (item(it).0, TaskRef::Item(item(it).1)),
                    TaskRef::Extra(extra) => {
                        let (part, extra) = self.extras[*extra as usize];
                        (part, TaskRef::Extra(extra))
                    }
                };
                let (part, _) = own(tasks.first()?);
                (part, Order::Sequence(tasks.iter().map(|task| own(task).1).collect()))
            }
            Order::NoDelay(it) => (item(it).0, Order::NoDelay(item(it).1)),
            Order::NoDelayExtra(extra) => {
                let (part, extra) = self.extras[*extra as usize];
                (part, Order::NoDelayExtra(extra))
            }
            Order::Deadline(it, latest) => (item(it).0, Order::Deadline(item(it).1, *latest)),
            Order::Precedence(first, then) => (item(first).0, Order::Precedence(item(first).1, item(then).1)),
            Order::Serialize(items) => (item(items.first()?).0, Order::Serialize(all(items))),
            Order::Sync(items) => {
                let own = items.iter().map(|(it, post_copy)| (item(it).1, *post_copy)).collect();
                (item(&items.first()?.0).0, Order::Sync(own))
            }
        })
    }
}

impl Part {
    fn item(&self, item: u32) -> u32 {
        self.items[item as usize]
    }

    fn bin(&self, bin: u32) -> u32 {
        if bin == NONE { NONE } else { self.bins[bin as usize] }
    }

    fn block(&self, block: Block) -> Block {
        match block {
            Block::Dim(dim) => Block::Dim(dim),
            Block::Relation(at) => Block::Relation(self.relations[at as usize]),
        }
    }

    fn step(&self, step: Step) -> Step {
        let kind = match step.kind {
            StepKind::Open(bin) => StepKind::Open(self.bin(bin)),
            StepKind::Close(bin) => StepKind::Close(self.bin(bin)),
            StepKind::Move { item, from, to, resized, was_resized, parking } => StepKind::Move {
                item: self.item(item),
                from: self.bin(from),
                to: self.bin(to),
                resized,
                was_resized,
                parking,
            },
            StepKind::Arrive { item, to, resized } => {
                StepKind::Arrive { item: self.item(item), to: self.bin(to), resized }
            }
            StepKind::Depart { item, from } => {
                StepKind::Depart { item: self.item(item), from: self.bin(from) }
            }
            StepKind::Resize { item, at } => StepKind::Resize { item: self.item(item), at: self.bin(at) },
            StepKind::Extra(extra) => StepKind::Extra(self.extras[extra as usize]),
        };
        Step { kind, ..step }
    }

    fn proof(&self, proof: Proof) -> Proof {
        let items = |items: Vec<u32>| items.into_iter().map(|item| self.item(item)).collect();
        let bins = |bins: Vec<u32>| bins.into_iter().map(|bin| self.bin(bin)).collect();
        match proof {
            Proof::Bin(bin, block) => Proof::Bin(self.bin(bin), self.block(block)),
            Proof::Homeless(item) => Proof::Homeless(self.item(item)),
            Proof::Room(these, there, dim) => Proof::Room(items(these), bins(there), dim),
            Proof::Powered(at, dim) => Proof::Powered(self.relations[at as usize], dim),
            Proof::Together(at, dim) => Proof::Together(self.relations[at as usize], dim),
            Proof::Crowd(at, usable) => Proof::Crowd(self.relations[at as usize], usable),
            Proof::Late(least) => Proof::Late(least),
            Proof::Overdue(item) => Proof::Overdue(self.item(item)),
            Proof::Nowhere(these) => Proof::Nowhere(items(these)),
            Proof::Exhausted => Proof::Exhausted,
        }
    }

    fn analysis(&self, analysis: Analysis, into: &mut Analysis) {
        into.forced.extend(analysis.forced.into_iter().map(|item| self.item(item)));
        for mut eviction in analysis.evictions {
            eviction.bin = self.bin(eviction.bin);
            eviction.cause = self.block(eviction.cause);
            eviction.sets.iter_mut().flatten().for_each(|item| *item = self.item(*item));
            into.evictions.push(eviction);
        }
        into.fewest_moves += analysis.fewest_moves;
        into.fewest_open += analysis.fewest_open;
        into.least_mttr += analysis.least_mttr;
        into.least_mttr_any += analysis.least_mttr_any;
        into.least_makespan = into.least_makespan.max(analysis.least_makespan);
        into.least_makespan_fewest = into.least_makespan_fewest.max(analysis.least_makespan_fewest);
        into.least_relocation_time += analysis.least_relocation_time;
        if let Some((bin, block)) = analysis.hopeless {
            into.hopeless.get_or_insert((self.bin(bin), self.block(block)));
        }
        if let Some(item) = analysis.homeless {
            into.homeless.get_or_insert(self.item(item));
        }
    }
}

/// One answer from those of the parts: all of their steps at the same time, or the first
/// proof that there are none. The bounds add up where the objective is a sum; any other
/// is not solved in parts.
pub fn merge(parts: &[Part], answers: Vec<Answer>, objective: &Objective) -> Answer {
    let levels = objective.levels.len();
    let mut whole = Answer {
        steps: Some(Vec::new()),
        values: Some(vec![0; levels]),
        bounds: vec![0; levels],
        ..Answer::default()
    };
    for (part, answer) in parts.iter().zip(answers) {
        whole.steps = whole.steps.take().and_then(|mut steps| {
            steps.extend(answer.steps?.into_iter().map(|step| part.step(step)));
            Some(steps)
        });
        whole.values = whole.values.take().and_then(|values| Some(add_up(&values, &answer.values?)));
        whole.bounds = add_up(&whole.bounds, &answer.bounds);
        whole.proof = whole.proof.or(answer.proof.map(|proof| part.proof(proof)));
        whole.stop = whole.stop.max(answer.stop);
        whole.effort += answer.effort;
        whole.scheduling += answer.scheduling;
        part.analysis(answer.analysis, &mut whole.analysis);
    }
    if whole.proof.is_some() {
        whole.steps = None;
        whole.stop = StopReason::Proved;
    }
    whole.analysis.forced.sort_unstable();
    whole.analysis.evictions.sort_unstable_by_key(|eviction| eviction.bin);
    if let Some(steps) = &mut whole.steps {
        steps.sort_by_key(|step| (step.start, step.end, step.kind));
    }
    // Below a level that is not proved, parts could trade: one gives there what another
    // gains, so what each part knows about its own next level is void.
    if let Some(values) = &whole.values
        && let Some(open) = (0..levels).find(|&level| whole.bounds[level] < values[level])
    {
        let least = super::bounds(objective, &whole.analysis, None);
        whole.bounds[open + 1..].clone_from_slice(&least[open + 1..]);
    }
    whole
}

/// Level by level.
pub(super) fn add_up(these: &[u64], those: &[u64]) -> Vec<u64> {
    these.iter().zip(those).map(|(a, b)| a.saturating_add(*b)).collect()
}

#[cfg(test)]
mod tests;
