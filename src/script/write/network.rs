//! Switches, links and routes.

use super::Losses;
use super::Out;
use super::names;
use super::names::Names;
use crate::format::FormatError;
use crate::model::Allowance;
use crate::model::Endpoint;
use crate::model::Instance;
use crate::model::Link;
use crate::model::Live;
use crate::model::Network;
use crate::model::NodeId;
use crate::model::Parameter;
use crate::model::Route;
use crate::model::Routing;
use rustc_hash::FxHashMap;
use rustc_hash::FxHashSet;

/// Writes the network, if there is one.
pub(super) fn write(
    instance: &Instance,
    names: &Names,
    out: &mut Out,
    losses: &mut Losses,
) -> Result<(), FormatError> {
    let Some(network) = instance.network() else { return Ok(()) };
    let labels = labels(network, losses)?;
    out.gap();
    let options = options(instance, &network.allowance, losses)?;
    let mut routes = Vec::with_capacity(network.routing.routes().len());
    for route in network.routing.routes() {
        match switches_on(network, route) {
            Some(via) => routes.push((route, via)),
            None => losses.add("routes", || {
                let [from, to] = [route.from, route.to].map(|node| instance.node_name(node));
                format!(
                    "the route from `{from}` to `{to}`: its switches do not tell its links; the shortest way is \
                     left for it"
                )
            })?,
        }
    }
    let are_all = routes.len() == network.routing.routes().len();
    match &network.routing {
        Routing::Tree => out.statement(&format!("network tree{options}")),
        Routing::Fixed(routes) if routes.is_empty() => {
            losses.add("routes", || "that there are no routes".to_owned())?;
        }
        // The routes that follow take its place.
        Routing::Fixed(_) if are_all && !options.is_empty() => {
            out.statement(&format!("network tree{options}"))
        }
        Routing::Fixed(_) if are_all => {}
        Routing::Fixed(_) | Routing::Shortest | Routing::Mixed(_) => {
            out.statement(&format!("network shortest{options}"));
        }
    }
    let mut next = 0;
    for (switch, label) in network.switches.iter().zip(&labels) {
        let mut options = Vec::new();
        if let Some(capacity) = switch.capacity {
            options.push(format!("capacity={}", amount(capacity, losses)?));
        }
        if switch.number != next {
            options.push(format!("number={}", switch.number));
        }
        next = next.max(switch.number.saturating_add(1));
        let options = if options.is_empty() { String::new() } else { format!("<{}>", options.join(", ")) };
        out.statement(&format!("switch {label}{options}"));
    }
    links(network, names, &labels, out, losses)?;
    for (route, via) in routes {
        let via: Vec<&str> = via.iter().map(|&at| labels[at as usize].as_str()).collect();
        let [from, to] = [route.from, route.to].map(|node| names.nodes.single(node.index()));
        out.statement(&format!("route {from} to {to} via {}", via.join(", ")));
    }
    Ok(())
}

/// A number of Mbit/s, of which rule files have no larger ones than other numbers.
fn amount(mbit: u64, losses: &mut Losses) -> Result<i64, FormatError> {
    if let Ok(amount) = i64::try_from(mbit) {
        return Ok(amount);
    }
    losses.add("amounts", || format!("{mbit} Mbit/s; {} are written", i64::MAX))?;
    Ok(i64::MAX)
}

/// What migrations may have of the network and how they behave, as options.
fn options(instance: &Instance, allowance: &Allowance, losses: &mut Losses) -> Result<String, FormatError> {
    let mut options = Vec::new();
    if allowance.reserve_percent > 0 {
        options.push(format!("reserve={}", allowance.reserve_percent));
    }
    if let Some(most) = allowance.per_migration {
        options.push(format!("bandwidth={}", amount(most, losses)?));
    }
    if allowance.sharing {
        options.push("sharing".to_owned());
    }
    match instance.migration_model().get().behaviour() {
        Some(behaviour) => {
            if matches!(behaviour.live, Live::Rounds(_)) {
                options.push("rounds".to_owned());
            }
            for parameter in Parameter::ALL {
                let number = parameter.of(&behaviour);
                options.extend(number.map(|number| format!("{}={number}", parameter.names()[1])));
            }
        }
        None => losses.add("models of migrations", || {
            "how migrations behave, which a program says of its own".to_owned()
        })?,
    }
    Ok(if options.is_empty() { String::new() } else { format!("<{}>", options.join(", ")) })
}

/// What each switch is called in the script.
fn labels(network: &Network, losses: &mut Losses) -> Result<Vec<String>, FormatError> {
    let mut met: FxHashSet<String> = FxHashSet::default();
    // Those without a name of their own have the first choice.
    met.extend(network.switches.iter().filter(|switch| switch.name.is_none()).map(|switch| switch.label()));
    let mut labels = Vec::with_capacity(network.switches.len());
    for switch in &network.switches {
        let label = switch.label();
        if switch.name.is_none() || (names::is_path(&label) && met.insert(label.clone())) {
            labels.push(label);
            continue;
        }
        losses.add("names of switches", || format!("the name `{label}` of switch {}", switch.number))?;
        let free = (0u32..).map(|at| format!("s{}_{at}", switch.number)).find(|name| !met.contains(name));
        let label = free.unwrap_or_default();
        met.insert(label.clone());
        labels.push(label);
    }
    Ok(labels)
}

/// Links in a row that differ in what is linked only become one statement.
fn links(
    network: &Network,
    names: &Names,
    labels: &[String],
    out: &mut Out,
    losses: &mut Losses,
) -> Result<(), FormatError> {
    let mut next = 0;
    let mut rest = network.links.as_slice();
    let reserves = &network.allowance.reserves;
    let reserve = |at: usize| {
        let found = reserves.binary_search_by_key(&(at as u32), |&(link, _)| link).ok()?;
        Some(reserves[found].1)
    };
    while let Some(first) = rest.first() {
        let start = network.links.len() - rest.len();
        let mut met: FxHashSet<Endpoint> = FxHashSet::default();
        let is_node = |link: &Link| matches!(link.end, Endpoint::Node(_));
        let goes_on = |at: usize, link: &Link| {
            link.capacity == first.capacity
                && reserve(start + at) == reserve(start)
                && link.switch == first.switch
                && is_node(link) == is_node(first)
                && Some(link.number) == first.number.checked_add(at as u32)
        };
        let alike =
            rest.iter().enumerate().take_while(|(at, link)| goes_on(*at, link) && met.insert(link.end));
        // A number that is given is that of one link.
        let count = if first.number == next { alike.count() } else { 1 };
        let (row, others) = rest.split_at(count);
        rest = others;
        let nodes: Vec<NodeId> = row
            .iter()
            .filter_map(|link| match link.end {
                Endpoint::Node(node) => Some(node),
                Endpoint::Switch(_) => None,
            })
            .collect();
        let ends = match (row, nodes.as_slice()) {
            ([_], [node]) => names.nodes.single(node.index()).to_owned(),
            (_, [_, ..]) => names.set(&nodes, true),
            _ => {
                let switch = |link: &Link| match link.end {
                    Endpoint::Switch(at) => labels.get(at as usize).cloned(),
                    Endpoint::Node(_) => None,
                };
                let all: Vec<String> = row.iter().filter_map(switch).collect();
                if all.len() == 1 { all.concat() } else { format!("{{{}}}", all.join(", ")) }
            }
        };
        let kept = match reserve(start) {
            Some(reserve) => format!(", reserve={}", amount(reserve, losses)?),
            None => String::new(),
        };
        let number = if first.number == next { String::new() } else { format!(", number={}", first.number) };
        let switch = labels.get(first.switch as usize).map_or("", String::as_str);
        let capacity = amount(first.capacity, losses)?;
        out.statement(&format!("link {ends} to {switch}<capacity={capacity}{kept}{number}>"));
        next = row.iter().map(|link| link.number.saturating_add(1)).fold(next, u32::max);
    }
    Ok(())
}

/// The switches on a route, if they tell its links.
fn switches_on(network: &Network, route: &Route) -> Option<Vec<u32>> {
    let mut ways: FxHashMap<(Endpoint, u32), usize> = FxHashMap::default();
    for link in &network.links {
        *ways.entry((link.end, link.switch)).or_default() += 1;
    }
    let mut here = Endpoint::Node(route.from);
    let mut via = Vec::new();
    for &(at, down) in &route.links {
        let link = network.links.get(at as usize)?;
        let (from, to) = if down {
            (Endpoint::Switch(link.switch), link.end)
        } else {
            (link.end, Endpoint::Switch(link.switch))
        };
        let back = match link.end {
            Endpoint::Switch(other) => ways.get(&(Endpoint::Switch(link.switch), other)).copied(),
            Endpoint::Node(_) => None,
        };
        let only = ways.get(&(link.end, link.switch)) == Some(&1) && back.is_none();
        if from != here || !only {
            return None;
        }
        if let Endpoint::Switch(switch) = to {
            via.push(switch);
        }
        here = to;
    }
    (here == Endpoint::Node(route.to) && !via.is_empty()).then_some(via)
}
