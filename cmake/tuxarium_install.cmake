# Install rules and the package that find_package(tuxarium) reads. Each part is an export set of its own, so that a user of the machine
# alone needs nothing of Dear ImGui.
include(CMakePackageConfigHelpers)
set(tuxarium_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tuxarium)

install(TARGETS tuxarium_component EXPORT tuxarium_component_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY component/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
install(EXPORT tuxarium_component_targets NAMESPACE tuxarium:: DESTINATION ${tuxarium_package_dir})

if(TARGET tuxarium_net)
  install(TARGETS tuxarium_net EXPORT tuxarium_net_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT tuxarium_net_targets NAMESPACE tuxarium:: DESTINATION ${tuxarium_package_dir})
endif()

if(TARGET tuxarium_guest)
  install(TARGETS tuxarium_guest EXPORT tuxarium_guest_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY hao/guest_library/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
  install(EXPORT tuxarium_guest_targets NAMESPACE tuxarium:: DESTINATION ${tuxarium_package_dir})
endif()

# A frontend on a Dear ImGui target of the host's own cannot name that target in a package.
if(TARGET tuxarium_imgui AND NOT TUXARIUM_IMGUI_TARGET)
  install(TARGETS tuxarium_imgui EXPORT tuxarium_imgui_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY imgui_frontend/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
  install(EXPORT tuxarium_imgui_targets NAMESPACE tuxarium:: DESTINATION ${tuxarium_package_dir})
endif()

foreach(program tuxarium-run tuxarium-viewer tuxarium-disk tuxarium-bridge)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

configure_package_config_file(cmake/tuxariumConfig.cmake.in ${PROJECT_BINARY_DIR}/tuxariumConfig.cmake
  INSTALL_DESTINATION ${tuxarium_package_dir})
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/tuxariumConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/tuxariumConfig.cmake ${PROJECT_BINARY_DIR}/tuxariumConfigVersion.cmake
  DESTINATION ${tuxarium_package_dir})
