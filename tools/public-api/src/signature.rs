//! Prints the signatures of items, without bodies.

use syn::{Attribute, Fields, FnArg, ImplItem, Item, ItemImpl, Signature, TraitItem, Visibility};

use crate::modules::{is_hidden, is_public};

/// Returns the lines of an item that users name `public`; `None` for one that is not public.
pub(crate) fn item(public: &str, item: &Item) -> Option<Vec<String>> {
    let (visibility, attributes) = visibility_of(item)?;
    if !is_public(visibility) || is_hidden(attributes) {
        return None;
    }
    let mut lines = vec![marks(attributes) + &header(public, item)];
    match item {
        Item::Struct(item) => lines.extend(fields(public, &item.fields)),
        Item::Enum(item) => lines.extend(item.variants.iter().map(|variant| {
            let mut bare = variant.clone();
            bare.attrs.clear();
            bare.fields.iter_mut().for_each(|field| field.attrs.clear());
            format!("{}pub {public}::{}", marks(&variant.attrs), variant_text(bare))
        })),
        Item::Trait(item) => {
            for member in &item.items {
                if let TraitItem::Fn(function) = member {
                    let provided = if function.default.is_some() { " (provided)" } else { "" };
                    lines.push(function_text(public, "", &function.sig) + provided);
                } else {
                    let mut bare = item.clone();
                    bare.attrs.clear();
                    bare.items = vec![member.clone()];
                    lines.push(format!("{public}: {}", between_braces(&text(Item::Trait(bare)))));
                }
            }
        }
        _ => {}
    }
    Some(lines)
}

/// Returns the lines of an `impl` block of the type that users name `public`.
pub(crate) fn implementation(public: &str, item: &ItemImpl) -> Vec<String> {
    if item.trait_.is_some() {
        return vec![trait_implementation(public, item)];
    }
    let mut lines = Vec::new();
    for member in &item.items {
        match member {
            ImplItem::Fn(function) if is_public(&function.vis) && !is_hidden(&function.attrs) => {
                lines.push(marks(&function.attrs) + &function_text(public, "pub ", &function.sig));
            }
            ImplItem::Const(constant) if is_public(&constant.vis) && !is_hidden(&constant.attrs) => {
                let mut alias: syn::ItemType = template("type X = X;");
                *alias.ty = constant.ty.clone();
                let declared = text(Item::Type(alias));
                let kind = declared.split_once(" = ").map_or("", |(_, kind)| kind);
                lines.push(format!("pub const {public}::{}: {kind}", constant.ident));
            }
            _ => {}
        }
    }
    lines
}

/// Returns `impl Trait for Type`, with the associated types.
fn trait_implementation(public: &str, item: &ItemImpl) -> String {
    let mut bare = item.clone();
    bare.attrs.clear();
    bare.items.retain(|member| matches!(member, ImplItem::Type(_)));
    if let Some((path, ..)) = &mut bare.trait_ {
        // The derives write full paths, `::core::clone::Clone`.
        let last = path.segments.last().cloned();
        path.leading_colon = None;
        path.segments = last.into_iter().collect();
    }
    let printed = text(Item::Impl(bare));
    let printed = printed.trim_end_matches(" {}");
    let Some((head, of)) = printed.split_once(" for ") else { return printed.to_owned() };
    let (reference, of) = of.strip_prefix('&').map_or(("", of), |of| ("&", of));
    let rest = of.trim_start_matches(|letter: char| letter.is_alphanumeric() || matches!(letter, '_' | ':'));
    format!("{head} for {reference}{public}{rest}")
}

fn visibility_of(item: &Item) -> Option<(&Visibility, &Vec<Attribute>)> {
    Some(match item {
        Item::Const(item) => (&item.vis, &item.attrs),
        Item::Enum(item) => (&item.vis, &item.attrs),
        Item::Fn(item) => (&item.vis, &item.attrs),
        Item::Static(item) => (&item.vis, &item.attrs),
        Item::Struct(item) => (&item.vis, &item.attrs),
        Item::Trait(item) => (&item.vis, &item.attrs),
        Item::Type(item) => (&item.vis, &item.attrs),
        Item::Union(item) => (&item.vis, &item.attrs),
        _ => return None,
    })
}

/// Prints the attributes that are part of the API.
fn marks(attributes: &[Attribute]) -> String {
    let is_api = |name: &&str| attributes.iter().any(|attribute| attribute.path().is_ident(name));
    ["non_exhaustive", "deprecated", "must_use"]
        .iter()
        .filter(|name| is_api(name))
        .map(|name| format!("#[{name}] "))
        .collect()
}

/// Prints an item without its body.
fn header(public: &str, item: &Item) -> String {
    let name = crate::modules::name_of(item).unwrap_or_default();
    let mut bare = item.clone();
    match &mut bare {
        Item::Const(item) => {
            item.attrs.clear();
            *item.expr = template("x");
        }
        Item::Static(item) => {
            item.attrs.clear();
            *item.expr = template("x");
        }
        Item::Enum(item) => {
            item.attrs.clear();
            item.variants.clear();
        }
        Item::Fn(item) => {
            return function_text(public.rsplit_once("::").map_or("", |(module, _)| module), "pub ", &item.sig);
        }
        Item::Struct(item) => {
            item.attrs.clear();
            item.fields = Fields::Unit;
        }
        Item::Trait(item) => {
            item.attrs.clear();
            item.items.clear();
        }
        Item::Type(item) => item.attrs.clear(),
        _ => {}
    }
    let printed = text(bare);
    let printed = printed.trim_end_matches(" {}").trim_end_matches(" = x");
    printed.replacen(&format!(" {name}"), &format!(" {public}"), 1)
}

fn fields<'a>(public: &'a str, fields: &'a Fields) -> impl Iterator<Item = String> + 'a {
    fields.iter().enumerate().filter(|(_, field)| is_public(&field.vis) && !is_hidden(&field.attrs)).map(
        move |(index, field)| {
            let name = field.ident.as_ref().map_or_else(|| index.to_string(), ToString::to_string);
            let mut bare = field.clone();
            bare.attrs.clear();
            bare.ident = Some(template("x"));
            bare.colon_token = Some(syn::token::Colon::default());
            let holder: syn::ItemStruct = template("struct X { }");
            let Fields::Named(mut named) = holder.fields.clone() else { return String::new() };
            named.named.push(bare);
            let printed = text(Item::Struct(syn::ItemStruct { fields: Fields::Named(named), ..holder }));
            let kind = between_braces(&printed);
            let kind = kind.strip_prefix("pub x: ").unwrap_or(&kind).trim_end_matches(',').to_owned();
            format!("pub {public}::{name}: {kind}")
        },
    )
}

/// Parses a piece of source of this file.
fn template<T: syn::parse::Parse>(source: &str) -> T {
    syn::parse_str(source).expect("valid source")
}

fn variant_text(variant: syn::Variant) -> String {
    let mut holder: syn::ItemEnum = template("enum X { }");
    holder.variants.push(variant);
    between_braces(&text(Item::Enum(holder))).trim_end_matches(',').to_owned()
}

fn between_braces(printed: &str) -> String {
    let inner = printed.split_once('{').map_or("", |(_, inner)| inner);
    inner.rsplit_once('}').map_or(inner, |(inner, _)| inner).trim().to_owned()
}

/// Prints a function's signature, without the patterns of its arguments.
fn function_text(public: &str, visibility: &str, signature: &Signature) -> String {
    let mut signature = signature.clone();
    for argument in &mut signature.inputs {
        if let FnArg::Typed(argument) = argument
            && let syn::Pat::Ident(name) = &mut *argument.pat
        {
            name.mutability = None;
        }
    }
    let name = signature.ident.to_string();
    let function = syn::ItemFn { sig: signature, ..template("fn x() {}") };
    let printed = text(Item::Fn(function));
    let printed = printed.trim_end_matches(" {}").replacen(&format!("fn {name}"), &format!("fn {public}::{name}"), 1);
    format!("{visibility}{printed}")
}

/// Prints an item on one line.
fn text(item: Item) -> String {
    let file = syn::File { items: vec![item], ..template("") };
    let printed = prettyplease::unparse(&file).split_whitespace().collect::<Vec<_>>().join(" ");
    let joined = [("( ", "("), (" )", ")"), (",)", ")"), ("< ", "<"), (", >", ">"), (",>", ">")];
    let printed = joined.iter().fold(printed, |text, (from, to)| text.replace(from, to));
    printed.trim_end_matches(';').to_owned()
}
