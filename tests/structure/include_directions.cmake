cmake_minimum_required(VERSION 3.25)
# Holds the directions in which the parts may include each other.
#
# SOURCE: the root of the tree. Each row of the table is a folder and what its files may include beyond their own folder and the C++
# standard library: names of parts of component/src, `public` for <tuxarium/...>, `posix` for the operating system's headers, or the
# beginning of another header's path.
set(table
  "component/include                |"
  "component/src/base               | signal.h"
  "component/src/memory             | base"
  "component/src/cpu                | memory base emmintrin.h"
  "component/src/jit                | cpu memory base"
  "component/src/bus                | base"
  "component/src/time               | base"
  "component/src/devices            | bus time base public"
  "component/src/disk               | base public posix"
  "component/src/wire               | time base public"
  "component/src/net                | disk wire base public posix boost/ openssl/ slirp/"
  "component/src/c_interface        | public tuxarium.h"
  "component/src/machine            | jit devices disk time cpu memory bus wire net base public posix"
  "hao/guest_library/include        | public"
  "hao/guest_library/src            | public zstd.h"
  "imgui_frontend/include           | public tuxarium_imgui/"
  "imgui_frontend/src/vt            |"
  "imgui_frontend/src/widget        | vt public tuxarium_imgui/ imgui.h imgui_internal.h"
)
set(parts base memory cpu jit bus time devices disk wire net machine c_interface vt widget)
set(problems "")

macro(problem file include why)
  list(APPEND problems "${file} includes ${include}: ${why}")
endmacro()

function(includes_of file out)
  file(STRINGS ${file} lines REGEX "^[ \t]*#[ \t]*include[ \t]*[<\"]")
  set(found "")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "^[ \t]*#[ \t]*include[ \t]*[<\"]([^>\"]+)[>\"].*" "\\1" include "${line}")
    list(APPEND found "${include}")
  endforeach()
  set(${out} "${found}" PARENT_SCOPE)
endfunction()

# What kind of header is it, seen from a file in `folder`: std, posix, own, public, the name of a part, or other.
function(kind_of include folder out)
  get_filename_component(own_part ${folder} NAME)
  set(kind other)
  string(REGEX MATCH "^[^/]+" first "${include}")
  if(include MATCHES "^tuxarium/")
    set(kind public)
    if(folder STREQUAL "component/include")
      set(kind own)
    endif()
  elseif(include MATCHES "/" AND first STREQUAL own_part)
    set(kind own)
  elseif(include MATCHES "/" AND first IN_LIST parts)
    set(kind ${first})
  elseif(EXISTS ${SOURCE}/${folder}/${include} AND NOT include MATCHES "^tuxarium")
    set(kind own)
  elseif(include MATCHES "^[a-z_0-9]+$")
    set(kind std)
  elseif(include MATCHES "^(sys/|netinet/|arpa/)?(fcntl|unistd|stat|types|mman|file|socket|in|inet|netdb|poll|signal|uio|time)\\.h$")
    set(kind posix)
  endif()
  set(${out} ${kind} PARENT_SCOPE)
endfunction()

function(allowed_by rules include out)
  set(${out} FALSE PARENT_SCOPE)
  foreach(rule IN LISTS rules)
    string(FIND "${include}" "${rule}" at)
    if(rule MATCHES "[./]" AND at EQUAL 0)
      set(${out} TRUE PARENT_SCOPE)
    endif()
  endforeach()
endfunction()

foreach(row IN LISTS table)
  string(REGEX MATCH "^([^ |]+) *\\| *(.*)$" row "${row}")
  set(folder ${CMAKE_MATCH_1})
  string(REGEX REPLACE " +" ";" rules "${CMAKE_MATCH_2}")
  file(GLOB_RECURSE files RELATIVE ${SOURCE} ${SOURCE}/${folder}/*.hpp ${SOURCE}/${folder}/*.cpp ${SOURCE}/${folder}/*.def)
  foreach(file IN LISTS files)
    includes_of(${SOURCE}/${file} includes)
    foreach(include IN LISTS includes)
      kind_of("${include}" ${folder} kind)
      if(kind STREQUAL "std" OR kind STREQUAL "own" OR kind IN_LIST rules)
        continue()
      endif()
      allowed_by("${rules}" "${include}" allowed)
      if(NOT allowed)
        problem(${file} ${include} "${folder} may include only its own folder, the standard library, and: ${rules}")
      endif()
    endforeach()
  endforeach()
endforeach()

# A header whose first folder is a part's name but that is reached by "../" would slip through the table.
file(GLOB_RECURSE files RELATIVE ${SOURCE} ${SOURCE}/component/*.[hc]pp ${SOURCE}/imgui_frontend/*.[hc]pp ${SOURCE}/sample_app/*.[hc]pp)
foreach(file IN LISTS files)
  includes_of(${SOURCE}/${file} includes)
  foreach(include IN LISTS includes)
    if(include MATCHES "\\.\\./")
      problem(${file} ${include} "paths go down from an include folder, never up")
    endif()
    if(include MATCHES "^boost/" AND NOT file MATCHES "^(component/src/net|sample_app/tap_bridge)/")
      problem(${file} ${include} "Boost belongs to component/src/net and sample_app/tap_bridge alone")
    endif()
    if(include MATCHES "(^|/)imgui[a-z_0-9]*\\.h$" AND NOT file MATCHES "^(imgui_frontend/src/widget|sample_app/viewer|sample_app/examples)/")
      problem(${file} ${include} "only the widget (and the sample viewer and the examples) may include Dear ImGui")
    endif()
  endforeach()
endforeach()

if(problems)
  list(REMOVE_DUPLICATES problems)
  list(JOIN problems "\n" text)
  message(FATAL_ERROR "wrong include directions:\n${text}")
endif()
