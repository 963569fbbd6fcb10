(* SPDX-License-Identifier: LGPL-2.1-or-later *)
(* The life of a secret with libvirt-ocaml, which has no events of secrets: URI, file of the
   definition, file of the value. *)
module C = Libvirt.Connect
module S = Libvirt.Secret

let content name =
  let file = open_in_bin name in
  let text = really_input_string file (in_channel_length file) in
  close_in file;
  text

let hex text =
  String.concat "" (List.map (fun c -> Printf.sprintf "%02x" (Char.code c)) (List.of_seq (String.to_seq text)))

let () =
  let connection = C.connect ~name:Sys.argv.(1) () in
  let secret = S.define_xml connection (content Sys.argv.(2)) in
  let uuid = S.get_uuid_string secret in
  Printf.printf "defined %s\n" uuid;
  S.set_value secret (Bytes.of_string (content Sys.argv.(3)));
  Printf.printf "value %s\n" (hex (Bytes.to_string (S.get_value secret)));
  Printf.printf "xml %s\n" (hex (S.get_xml_desc secret));
  let count = C.num_of_secrets connection in
  Printf.printf "count %d\n" count;
  Printf.printf "listed %s\n" (String.concat "," (Array.to_list (C.list_secrets connection count)));
  let found = S.lookup_by_usage connection (S.get_usage_type secret) (S.get_usage_id secret) in
  Printf.printf "by-usage %s\n" (S.get_uuid_string found);
  S.undefine secret;
  try ignore (S.lookup_by_uuid_string connection uuid)
  with Libvirt.Virterror { Libvirt.Virterror.code = Libvirt.Virterror.VIR_ERR_NO_SECRET; _ } ->
    print_endline "gone 66"
