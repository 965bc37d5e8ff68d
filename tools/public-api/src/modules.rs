//! The modules of a crate, and names in them.

use std::collections::BTreeMap;

use syn::{File, Item, ItemImpl, UseTree, Visibility};

/// Path of a module from the crate's root.
pub(crate) type ModulePath = Vec<String>;

/// Nesting of re-exports beyond which a name is not followed: a guard against cycles.
const MAX_DEPTH: usize = 16;

/// All modules of a crate.
pub(crate) struct Tree(BTreeMap<ModulePath, Module>);

/// One module.
#[derive(Default)]
pub(crate) struct Module {
    /// Items with a name, without modules.
    pub(crate) items: Vec<Item>,
    pub(crate) impls: Vec<ItemImpl>,
    pub(crate) uses: Vec<Use>,
    /// Modules, and whether they are public.
    pub(crate) modules: Vec<(String, bool)>,
}

/// A name that `use` brings into a module.
pub(crate) struct Use {
    /// The name; `*` for all names.
    pub(crate) name: String,
    pub(crate) path: Vec<String>,
    pub(crate) is_public: bool,
}

/// What a path names in this crate.
pub(crate) enum Target {
    Module(ModulePath),
    Item(ModulePath, String),
}

impl Tree {
    pub(crate) fn of(file: File) -> Self {
        let mut tree = Self(BTreeMap::new());
        tree.add(Vec::new(), file.items);
        tree
    }

    fn add(&mut self, path: ModulePath, items: Vec<Item>) {
        let mut module = Module::default();
        for item in items {
            match item {
                Item::Mod(child) if !is_hidden(&child.attrs) => {
                    let name = child.ident.to_string();
                    module.modules.push((name.clone(), is_public(&child.vis)));
                    let path = path.iter().cloned().chain([name]).collect();
                    self.add(path, child.content.map(|(_, items)| items).unwrap_or_default());
                }
                Item::Use(item) if !is_hidden(&item.attrs) => {
                    add_uses(&mut module.uses, &mut Vec::new(), &item.tree, is_public(&item.vis));
                }
                Item::Impl(item) => module.impls.push(item),
                item => module.items.push(item),
            }
        }
        self.0.insert(path, module);
    }

    pub(crate) fn module(&self, path: &ModulePath) -> &Module {
        &self.0[path]
    }

    pub(crate) fn modules(&self) -> impl Iterator<Item = (&ModulePath, &Module)> {
        self.0.iter()
    }

    /// Returns what `path` names as seen from module `from`; `None` for a name of another crate.
    pub(crate) fn resolve(&self, from: &ModulePath, path: &[String]) -> Option<Target> {
        self.resolve_within(from, path, MAX_DEPTH)
    }

    fn resolve_within(&self, from: &ModulePath, path: &[String], depth: usize) -> Option<Target> {
        let depth = depth.checked_sub(1)?;
        let mut found = Target::Module(from.clone());
        for (index, segment) in path.iter().enumerate() {
            let Target::Module(module) = found else { return None };
            found = match segment.as_str() {
                "crate" if index == 0 => Target::Module(Vec::new()),
                "self" if index == 0 => Target::Module(module),
                "super" => Target::Module(module.split_last()?.1.to_vec()),
                name => self.member(&module, name, depth)?,
            };
        }
        Some(found)
    }

    fn member(&self, path: &ModulePath, name: &str, depth: usize) -> Option<Target> {
        let module = self.module(path);
        if module.modules.iter().any(|(child, _)| child == name) {
            return Some(Target::Module(path.iter().cloned().chain([name.into()]).collect()));
        }
        if module.items.iter().any(|item| name_of(item).is_some_and(|of| of == name)) {
            return Some(Target::Item(path.clone(), name.into()));
        }
        let named = module.uses.iter().filter(|item| item.name == name);
        let globs = module.uses.iter().filter(|item| item.name == "*");
        // A name that is brought in by its own path, as in `use bytes::bytes`, belongs to another crate.
        named
            .filter(|item| item.path.first().is_none_or(|first| first != name))
            .find_map(|item| self.resolve_within(path, &item.path, depth))
            .or_else(|| {
                globs.into_iter().find_map(|item| match self.resolve_within(path, &item.path, depth)? {
                    Target::Module(target) if target != *path => self.member(&target, name, depth.checked_sub(1)?),
                    _ => None,
                })
            })
    }
}

fn add_uses(uses: &mut Vec<Use>, path: &mut Vec<String>, tree: &UseTree, is_public: bool) {
    let mut add = |name: String, path: Vec<String>| uses.push(Use { name, path, is_public });
    match tree {
        UseTree::Path(tree) => {
            path.push(tree.ident.to_string());
            add_uses(uses, path, &tree.tree, is_public);
            path.pop();
        }
        UseTree::Name(tree) if tree.ident == "self" => add(path.last().cloned().unwrap_or_default(), path.clone()),
        UseTree::Name(tree) => {
            add(tree.ident.to_string(), path.iter().cloned().chain([tree.ident.to_string()]).collect());
        }
        UseTree::Rename(tree) => {
            add(tree.rename.to_string(), path.iter().cloned().chain([tree.ident.to_string()]).collect());
        }
        UseTree::Glob(_) => add("*".into(), path.clone()),
        UseTree::Group(tree) => tree.items.iter().for_each(|tree| add_uses(uses, path, tree, is_public)),
    }
}

/// Returns whether an item is visible outside of its crate, where its module is.
pub(crate) fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Returns whether an item has `#[doc(hidden)]`.
pub(crate) fn is_hidden(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("doc") && attribute.parse_args::<syn::Ident>().is_ok_and(|word| word == "hidden")
    })
}

/// Returns an item's name; `None` for kinds of item that are not listed.
pub(crate) fn name_of(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}
