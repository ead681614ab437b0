//! Against all placements.

use super::*;
use crate::outcome::CancelToken;
use crate::problem::Bin;
use crate::problem::BitSet;
use crate::problem::Item;
use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::Partition;
use crate::problem::Relation;
use crate::problem::RelationKind;
use crate::problem::Shares;
use crate::propagator::Ledger;
use crate::propagator::Moment;
use crate::random::Random;
use crate::search::presolve;
use crate::search::price;

/// Up to six items in three or four bins, some at the wrong place, with a few relations.
fn random_problem(random: &mut Random) -> Problem {
    let bins = 3 + random.below(2);
    let dims = 1 + random.below(2);
    let items = 3 + random.below(4);
    let mut packing = Packing { dims, ..Packing::default() };
    packing.partitions.push(Partition { group_of: (0..bins).map(|bin| bin as u32 / 2).collect(), groups: 2 });
    packing.domains = vec![BitSet::full(bins), BitSet::empty(bins)];
    (0..bins as u32).filter(|_| random.below(2) == 0).for_each(|bin| packing.domains[1].insert(bin));
    for _ in 0..bins {
        let later = [Later::Open, Later::Open, Later::Open, Later::Free, Later::Closed][random.below(5)];
        packing.bins.push(Bin { open: random.below(6) > 0, later, opening: 1, closing: 1 });
    }
    for bin in 0..bins {
        // Nobody is in a bin that is closed.
        if (0..dims).map(|_| packing.capacity_then.push(3 + random.below(6) as u64)).count() > bins {
            packing.bins[bin].open = true;
        }
    }
    packing.capacity_now = vec![20; bins * dims];
    packing.capacity_own = packing.capacity_then.clone();
    packing.anchored = vec![false; bins];
    for _ in 0..items {
        let open: Vec<u32> = (0..bins as u32).filter(|&bin| packing.bins[bin as usize].open).collect();
        let source =
            if open.is_empty() || random.below(6) == 0 { NONE } else { open[random.below(open.len())] };
        let role = match source {
            NONE => Role::Arrive,
            _ if random.below(8) == 0 => Role::Depart,
            _ => Role::Stay,
        };
        let hold = 1 + random.below(4) as u32;
        packing.items.push(Item {
            source,
            role,
            pinned: random.below(8) == 0,
            domain: u32::from(random.below(6) == 0),
            route: 0,
            lead: 0,
            hold,
            leg: hold,
            duration: 1,
            anchor: NONE,
            image: false,
        });
        for _ in 0..dims {
            packing.size_now.push(1 + random.below(3) as u64);
            packing.size_then.push(1 + random.below(3) as u64);
        }
    }
    for _ in 0..random.below(3) {
        let kind = random_relation(random, bins, items as u32);
        packing.relations.push(Relation { kind, continuous: false, penalty: None, cause: 0 });
    }
    packing.index_relations();
    Problem { packing, ..Problem::default() }
}

fn random_relation(random: &mut Random, bins: usize, items: u32) -> RelationKind {
    let mut some = |share: usize| -> Vec<u32> { (0..items).filter(|_| random.below(3) < share).collect() };
    let members = some(2);
    let parts: Vec<(u32, u32)> = members.iter().map(|&item| (item, item % 2)).collect();
    let mut set = BitSet::empty(bins);
    (0..bins as u32).filter(|_| random.below(2) == 0).for_each(|bin| set.insert(bin));
    let partition = if random.below(2) == 0 { NONE } else { 0 };
    match random.below(9) {
        0 | 1 => RelationKind::AtMost { items: members, most: 1 + random.below(2) as u32, partition },
        2 => RelationKind::SameGroup { items: members, partition },
        3 => RelationKind::Apart { items: parts },
        4 => RelationKind::Exclusive { items: members },
        5 => RelationKind::GroupsApart { items: parts, partition: 0 },
        6 => RelationKind::Avoid { items: members, bins: set },
        7 => RelationKind::Load { bins: set, dim: 0, limit: 2 + random.below(6) as u64 },
        8 if random.below(2) == 0 => {
            let amounts = (0..bins).map(|_| 1 + random.below(3) as u64).collect();
            RelationKind::Powered { bins: Shares::new(set, amounts), limit: 1 + random.below(5) as u64 }
        }
        _ => RelationKind::Count { bins: set, limit: 1 + random.below(4) as u64 },
    }
}

/// (moves, seconds) of every placement that is right.
fn all_placements(problem: &Problem) -> Vec<(u64, u64)> {
    let packing = &problem.packing;
    let bins = packing.bins.len() as u32;
    let mut found = Vec::new();
    let mut to = vec![NONE; packing.items.len()];
    place(packing, bins, 0, &mut to, &mut found);
    found
}

fn place(packing: &Packing, bins: u32, item: usize, to: &mut Vec<u32>, found: &mut Vec<(u64, u64)>) {
    if item == to.len() {
        if is_right(packing, to) {
            let moved = (0..to.len()).filter(|&item| {
                packing.items[item].role == Role::Stay && to[item] != packing.items[item].source
            });
            let seconds = moved.clone().map(|item| u64::from(packing.items[item].hold)).sum();
            found.push((moved.count() as u64, seconds));
        }
        return;
    }
    if packing.items[item].role == Role::Depart {
        return place(packing, bins, item + 1, to, found);
    }
    for bin in 0..bins {
        if packing.may_end_in(item as u32, bin) {
            to[item] = bin;
            place(packing, bins, item + 1, to, found);
            to[item] = NONE;
        }
    }
}

/// Is there a choice of open bins under which all holds?
fn is_right(packing: &Packing, to: &[u32]) -> bool {
    let mut ledger = Ledger::new(packing, Moment::Then);
    for (item, &bin) in to.iter().enumerate().filter(|row| *row.1 != NONE) {
        ledger.add(item as u32, bin, packing.then(item as u32));
    }
    let powered = |bin: u32| packing.bins[bin as usize].later == Later::Open || to.contains(&bin);
    packing.load_fits(&ledger)
        && (0..packing.relations.len() as u32).all(|at| ledger.violation(at, &powered) == 0)
}

#[derive(Default)]
struct Believer {
    placements: Vec<Placement>,
    bounds: Vec<u64>,
}

impl Listener for Believer {
    fn placement(&mut self, placement: &Placement) -> Option<u64> {
        self.placements.push(placement.clone());
        None
    }

    fn bound(&mut self, bound: u64) {
        self.bounds.push(bound);
    }
}

/// Takes every placement for a plan.
struct Optimist<'p>(&'p Packing, Vec<Placement>);

impl Listener for Optimist<'_> {
    fn placement(&mut self, placement: &Placement) -> Option<u64> {
        self.1.push(placement.clone());
        Some(moves_of(self.0, placement))
    }

    fn bound(&mut self, _: u64) {}
}

fn limits() -> Limits {
    Limits { deadline: None, steps: None, cancel: CancelToken::new() }
}

#[test]
fn the_fewest_moves_are_those_of_all_placements() {
    let mut random = Random::new(21);
    let (mut impossible, mut possible, mut raised, mut excluded) = (0, 0, 0, 0);
    for _ in 0..1500 {
        let problem = random_problem(&mut random);
        let analysis = presolve::analyse(&problem);
        if analysis.hopeless.is_some() || analysis.homeless.is_some() {
            continue;
        }
        let all = all_placements(&problem);
        let best = all.iter().map(|row| row.0).min();
        let question = Question {
            problem: &problem,
            analysis: &analysis,
            fewest: analysis.fewest_moves,
            best: None,
            excluded: &[],
        };
        let mut optimist = Optimist(&problem.packing, Vec::new());
        let found = search(question, 1 << 20, &limits(), &mut optimist);
        assert!(!found.broken, "{problem:?}");
        assert_eq!((optimist.1.len(), found.impossible), (usize::from(best.is_some()), best.is_none()));
        let Some(best) = best else {
            impossible += 1;
            continue;
        };
        possible += 1;
        // From the first plan to the best; and with what prices exclude, whatever is known.
        let first = optimist.1[0].clone();
        for known in [moves_of(&problem.packing, &first), best + 1, best + 2] {
            let priced = price::fewest_moves(&problem, &analysis, known, &limits());
            assert!(priced.bound <= best, "{priced:?} {best} {problem:?}");
            raised += usize::from(priced.bound > analysis.fewest_moves);
            excluded += priced.excluded.len();
            let question = Question {
                fewest: priced.bound,
                best: Some((&first, known)),
                excluded: &priced.excluded,
                ..question
            };
            let mut optimist = Optimist(&problem.packing, Vec::new());
            let found = search(question, 1 << 20, &limits(), &mut optimist);
            assert!(!found.broken, "{problem:?}");
            let reached = optimist.1.iter().map(|placement| moves_of(&problem.packing, placement)).min();
            assert_eq!((reached.unwrap_or(known).min(known), found.bound), (best, best), "{problem:?}");
            for placement in &optimist.1 {
                assert!(is_right(&problem.packing, &placement.to), "{problem:?} {placement:?}");
            }
        }
        // The least seconds with as few moves, and with any number.
        let worst = all.iter().max_by_key(|row| row.1).map_or(0, |row| row.1);
        for limit in [Some(best), None] {
            let within = all.iter().filter(|row| limit.is_none_or(|limit| row.0 <= limit));
            let least = within.map(|row| row.1).min().unwrap_or(0);
            let question = Question { fewest: 0, best: Some((&first, worst)), ..question };
            let found = quickest(question, limit, 1 << 20, &limits(), &mut Believer::default());
            assert!(!found.broken, "{problem:?}");
            assert_eq!(found.bound, least, "{limit:?} {problem:?}");
        }
    }
    assert!(
        impossible > 50 && possible > 500 && raised > 0 && excluded > 100,
        "{impossible} {possible} {raised} {excluded}"
    );
}

#[test]
fn a_bound_is_one_wherever_it_stops() {
    let mut random = Random::new(22);
    for _ in 0..100 {
        let problem = random_problem(&mut random);
        let analysis = presolve::analyse(&problem);
        let Some(best) = all_placements(&problem).iter().map(|row| row.0).min() else { continue };
        for steps in 0..40 {
            let question = Question {
                problem: &problem,
                analysis: &analysis,
                fewest: analysis.fewest_moves,
                best: None,
                excluded: &[],
            };
            let mut believer = Believer::default();
            let found = search(question, steps, &limits(), &mut believer);
            assert!(
                found.bound <= best && !found.impossible && !found.broken && found.steps <= steps,
                "{problem:?}"
            );
        }
    }
}
